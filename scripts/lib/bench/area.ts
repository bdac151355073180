import type { WayResult } from "./measure.ts";
import type { Missing, Replant } from "./replant.ts";
import type { BenchServer } from "./server.ts";
import type { Comparison } from "./statistics.ts";

/** What every area works with. */
export interface Bench {
  readonly runs: number;
  /** Rows of the area that is about many. */
  readonly rows: number;
  readonly replants: readonly Replant[];
  /** Started at the first call, stopped when the bench ends. */
  server(): Promise<BenchServer>;
  /** Says where the bench is. */
  tell(text: string): void;
}

/** One thing that is measured once, beside what is wanted. */
export interface Figure {
  readonly name: string;
  /** `<= 15 s`; empty where nothing is wanted. Printed, never a condition. */
  readonly goal: string;
  readonly measured: string;
}

export interface AreaResult {
  readonly title: string;
  readonly ways: readonly WayResult[];
  readonly comparisons: readonly Comparison[];
  readonly figures?: readonly Figure[];
  readonly missing: readonly Missing[];
}

/** One thing that is measured, by the name that a person gives it. */
export interface Area {
  readonly name: string;
  readonly measure: (bench: Bench) => Promise<AreaResult>;
}
