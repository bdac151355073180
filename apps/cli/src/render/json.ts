import type { RunEvent } from "@replant/core";
import type { Outcome } from "../cli.ts";
import type { Failure } from "./failure.ts";

/** Version of every document that --json prints. Fields are added without raising it, never removed or changed. */
const version = 1;

/** The one document of a command that ended well. */
export function outcomeDocument(command: string, outcome: Outcome): object {
  return { version, command, ok: true, ...outcome.document };
}

/** The one document of a command that failed. */
export function failureDocument(command: string | null, failure: Failure): object {
  const { stack, ...error } = failure;
  return { version, command, ok: false, error: stack === null ? error : { ...error, stack } };
}

/** One line of --json=stream. The last line has the type `result` and the document in it. */
export function eventLine(event: RunEvent): object {
  return { version, ...event };
}

/** One line of data that is too long for one document. */
export function streamLine(line: object): object {
  return { version, ...line };
}

export function resultLine(document: object): object {
  return { version, type: "result", document };
}
