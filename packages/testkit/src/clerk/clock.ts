import { setTimeout as wait } from "node:timers/promises";

/** Time as the emulator sees it. */
export interface EmulatorClock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const realClock: EmulatorClock = { now: () => Date.now(), sleep: (ms) => wait(ms) };

/** Time that passes only when somebody sleeps or moves it: 27 hours of retries take as long as their requests do. */
export class VirtualClock implements EmulatorClock {
  #now: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  async sleep(ms: number): Promise<void> {
    this.moveTo(this.#now + ms);
  }

  /** Never goes back. */
  moveTo(ms: number): void {
    this.#now = Math.max(this.#now, ms);
  }
}

/** A generator of numbers from 0 up to 1 that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
