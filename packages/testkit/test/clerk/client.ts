import { createClerkClient, type ClerkClient } from "@clerk/backend";
import { onTestFinished } from "vitest";
import { type ClerkEmulator, startClerk } from "../../src/clerk/index.ts";

/** An emulator of the test's own, and the official client on it. */
export async function clerkWithClient(
  options: Parameters<typeof startClerk>[0] = {},
): Promise<{ readonly clerk: ClerkEmulator; readonly client: ClerkClient }> {
  const clerk = await startClerk(options);
  onTestFinished(() => clerk.close());
  const { apiUrl, secretKey } = clerk;
  return { clerk, client: createClerkClient({ apiUrl, secretKey, telemetry: { disabled: true } }) };
}
