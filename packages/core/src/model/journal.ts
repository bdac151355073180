import type { ErrorCode } from "../errors.ts";

/** One line of a run's journal. `at` is ISO 8601, UTC. */
export type JournalRecord =
  | {
      readonly type: "begin";
      readonly at: string;
      readonly command: string;
      readonly live: string;
      readonly liveId: string | null;
      readonly planHash: string | null;
    }
  | { readonly type: "step-begin"; readonly at: string; readonly step: string }
  | { readonly type: "step-end"; readonly at: string; readonly step: string }
  /** A database of this run exists from here on. */
  | {
      readonly type: "database";
      readonly at: string;
      readonly role: string;
      readonly name: string;
      readonly id: string;
    }
  | { readonly type: "backup"; readonly at: string; readonly backup: string }
  /** Written before the swap message is sent; without a matching end the outcome is decided by id. */
  | { readonly type: "swap"; readonly at: string; readonly liveId: string | null; readonly candidateId: string }
  | {
      readonly type: "end";
      readonly at: string;
      readonly result: "ok" | "failed" | "cancelled";
      readonly code: ErrorCode | null;
      readonly message: string | null;
      readonly summary: Readonly<Record<string, unknown>> | null;
    }
  /** Written by a later command that found this run unfinished. */
  | {
      readonly type: "recovered";
      readonly at: string;
      readonly by: string;
      readonly outcome: "nothing-changed" | "completed";
      readonly dropped: readonly string[];
    };

export interface RunJournal {
  readonly run: string;
  readonly records: readonly JournalRecord[];
}
