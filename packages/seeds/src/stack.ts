import { fileURLToPath } from "node:url";

/** A line of a source file on the call stack. */
export interface Frame {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
}

/** The frames of a stack that lie in files, innermost first. */
export function framesOf(stack: string | undefined): Frame[] {
  return (stack ?? "").split("\n").flatMap((text) => {
    const match = /(?:\(|\bat (?:async )?)(file:\/\/[^\s)]+|\/.+|[A-Za-z]:[\\/].+):(\d+):\d+\)?$/.exec(text);
    return frame(match?.[1], match?.[2]);
  });
}

/** The place of a syntax error: Node puts it in front of the stack (`/seeds/a.ts:3`), jiti into the message (`/seeds/a.ts:3:1`). */
export function syntaxErrorFrame(error: unknown): Frame | null {
  if (!(error instanceof Error)) return null;
  const [first = ""] = (error.stack ?? "").split("\n");
  const node = /^(file:\/\/\S+|\/.+|[A-Za-z]:[\\/].+):(\d+)$/.exec(first);
  const jiti = /^ParseError: .*\n\s*(\/.+|[A-Za-z]:[\\/].+):(\d+):\d+$/.exec(error.message);
  return frame(node?.[1] ?? jiti?.[1], node?.[2] ?? jiti?.[2])[0] ?? null;
}

/** The frame that called `callee`, or null. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- any function can be on a stack
export function callerOf(callee: Function): Frame | null {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callee);
  return framesOf(holder.stack)[0] ?? null;
}

function frame(location: string | undefined, line: string | undefined): Frame[] {
  if (location === undefined || line === undefined) return [];
  const file = location.startsWith("file://") ? fileURLToPath(location.replace(/[?#].*$/, "")) : location;
  return [{ file, line: Number(line) }];
}
