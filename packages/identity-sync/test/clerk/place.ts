import type { ClerkEmulator, VirtualClock } from "@replant/testkit/clerk";
import { startClerk } from "@replant/testkit/clerk";
import { onTestFinished } from "vitest";
import type { ClerkOptions } from "../../src/clerk/index.ts";
import { clerkProvider } from "../../src/clerk/index.ts";
import type { IdentityProvider } from "../../src/index.ts";

export interface ClerkPlace {
  readonly clerk: ClerkEmulator;
  readonly provider: IdentityProvider;
  /** Pauses, ms. Nobody has really waited. */
  readonly waits: number[];
}

/** An emulator of the test's own, without limits where nothing else is said, and the provider on it, which sleeps by `clock`. */
export async function clerkPlace(
  { clock, ...emulated }: Omit<NonNullable<Parameters<typeof startClerk>[0]>, "clock"> & { clock?: VirtualClock } = {},
  options: Partial<ClerkOptions> = {},
): Promise<ClerkPlace> {
  const timed = clock === undefined ? {} : { clock };
  const clerk = await startClerk({ rateLimit: null, userLimit: Infinity, ...timed, ...emulated });
  onTestFinished(() => clerk.close());
  const waits: number[] = [];
  const { apiUrl, secretKey } = clerk;
  const sleep = async (ms: number): Promise<void> => {
    waits.push(ms);
    await clock?.sleep(ms);
  };
  return { clerk, waits, provider: clerkProvider({ apiUrl, secretKey, sleep, ...options }) };
}
