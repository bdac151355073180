import type { EndSignal } from "./exit.ts";

/** Whether somebody wants the run to end, and by which signal they said so. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** null until a signal came. */
  readonly by: () => EndSignal | null;
}

/** Nobody interrupts: for scripts and tests. */
export function uninterrupted(): Interruption {
  return { signal: new AbortController().signal, by: () => null };
}
