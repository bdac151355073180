import type { EmulatorClock } from "./clock.ts";

/**
 * The receiver: its address, or itself. It has 15 seconds on the emulator's clock, and over HTTP 15 of the machine's; anything
 * but 2xx has failed. One that is to be slow sleeps on the emulator's clock.
 */
export type Endpoint = string | ((request: Request) => Promise<Response>);

export interface DeliveryAttempt {
  /** When the answer came, or the time was over. */
  readonly at: number;
  /** Null when there was no answer in time. */
  readonly status: number | null;
}

const timeoutMs = 15_000;

/** One attempt. Never throws. What a receiver does after its time is done all the same. */
export async function post(
  endpoint: Endpoint | null,
  {
    headers,
    body,
    clock,
  }: { readonly headers: Record<string, string>; readonly body: string; readonly clock: EmulatorClock },
): Promise<DeliveryAttempt> {
  const deadline = clock.now() + timeoutMs;
  const status =
    endpoint === null ? null : await answered(endpoint, { method: "POST", headers, body, redirect: "manual" });
  return clock.now() > deadline ? { at: deadline, status: null } : { at: clock.now(), status };
}

async function answered(endpoint: Endpoint, init: RequestInit): Promise<number | null> {
  try {
    const response =
      typeof endpoint === "string"
        ? await fetch(endpoint, { ...init, signal: AbortSignal.timeout(timeoutMs) })
        : await endpoint(new Request("http://127.0.0.1/webhooks/clerk", init));
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}

/** Five days without a single success. */
const disabledAfterMs = 5 * 24 * 3_600_000;

/** Whether an endpoint still gets anything. */
export class EndpointHealth {
  disabled = false;
  #failingSince: number | null = null;

  note({ at }: DeliveryAttempt, succeeded: boolean): void {
    if (succeeded) this.#failingSince = null;
    else this.#failingSince ??= at;
    this.disabled ||= at - (this.#failingSince ?? at) >= disabledAfterMs;
  }

  enable(): void {
    this.disabled = false;
    this.#failingSince = null;
  }
}
