import type { ErrorCode, ErrorKind } from "@replant/core";

/** Every exit code of the command, with what it means for the person and for a script. docs/cli.md is made from here. */
export const exitCodes = {
  0: "done",
  1: "failed; what a reset, restore or undo would have replaced is what it was",
  2: "the plan has changes to make (only with --exit-code)",
  3: "refused by the guard, or consent is missing",
  4: "busy: another run or session is in the way; try again",
  64: "the command line or the configuration is wrong",
  130: "interrupted (SIGINT), and cleaned up",
  143: "ended (SIGTERM), and cleaned up",
} as const;

export type ExitCode = keyof typeof exitCodes;

/** The one table from the kind of an error to the exit code. */
export const exitOfKind: Readonly<Record<ErrorKind, ExitCode>> = { failed: 1, refused: 3, busy: 4, usage: 64 };

/** The signals that end a run, with the exit code that shells expect of them. */
export const exitOfSignal = { SIGINT: 130, SIGTERM: 143 } as const;

export type EndSignal = keyof typeof exitOfSignal;

/** The exit code of a failure. A run that was interrupted says by which signal; without one it is plainly failed. */
export function exitOf(
  failure: { readonly code: ErrorCode; readonly kind: ErrorKind },
  signal: EndSignal | null,
): ExitCode {
  if (failure.code === "REPLANT_CANCELLED" && signal !== null) return exitOfSignal[signal];
  return exitOfKind[failure.kind];
}
