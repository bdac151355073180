import type { WayResult } from "./measure.ts";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** How many times as long one way takes as another, run by run. */
export interface Ratio extends Spread {
  readonly of: string;
  readonly to: string;
  /** What performance is wanted: `<= 1.3`. Printed, never a condition. */
  readonly aim: string | null;
}

export type Comparison = Pick<Ratio, "of" | "to" | "aim">;

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** Pair by pair: only two runs of one round met the same machine. Comparisons of ways that were not run are left out. */
export function ratios(results: readonly WayResult[], comparisons: readonly Comparison[]): Ratio[] {
  const runsOf = (name: string): readonly number[] => results.find((result) => result.name === name)?.runsMs ?? [];
  return comparisons.flatMap((comparison) => {
    const base = runsOf(comparison.to);
    const pairs = runsOf(comparison.of).map((value, run) => value / (base[run] ?? Number.NaN));
    return pairs.length === 0 || base.length === 0 ? [] : [{ ...comparison, ...spreadOf(pairs) }];
  });
}
