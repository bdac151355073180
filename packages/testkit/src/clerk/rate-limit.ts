import type { EmulatorClock } from "./clock.ts";

/** `requests` in any `windowMs`: a sliding window, the stricter of the two readings of the documentation. */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

export const rateLimits: Readonly<Record<"development" | "production", RateLimit>> = {
  development: { requests: 100, windowMs: 10_000 },
  production: { requests: 1_000, windowMs: 10_000 },
};

/** Counts requests. Those that are refused do not count. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: EmulatorClock;
  readonly #times: number[] = [];

  constructor(limit: RateLimit, clock: EmulatorClock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Null lets the request pass; a number is what Retry-After says, in seconds. */
  refuse(): number | null {
    const now = this.#clock.now();
    while ((this.#times[0] ?? Infinity) <= now - this.#limit.windowMs) this.#times.shift();
    const [oldest] = this.#times;
    if (oldest === undefined || this.#times.length < this.#limit.requests) {
      this.#times.push(now);
      return null;
    }
    return Math.max(1, Math.ceil((oldest + this.#limit.windowMs - now) / 1000));
  }
}
