import type { ErrorCode, ErrorKind } from "@replant/core";
import { errorCodes, isReplantError } from "@replant/core";
import type { EndSignal, ExitCode } from "../exit.ts";
import { exitOf } from "../exit.ts";
import type { Style } from "./style.ts";

/** A failure as it is shown, in text and in JSON. Absent details are null. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where: string | null;
  readonly excerpt: string | null;
  readonly why: string | null;
  readonly state: string | null;
  readonly hint: string | null;
  readonly items: readonly string[];
  /** Directory of the run's journal, when a run had begun. */
  readonly log: string | null;
  readonly exit: ExitCode;
  /** Only with --debug. */
  readonly stack: string | null;
}

const itemsMax = 20;

/** Describes whatever was thrown. What nobody expected is a bug, and says so. */
export function failureOf(
  error: unknown,
  { signal, log, debug }: { signal: EndSignal | null; log: string | null; debug: boolean },
): Failure {
  const stack = debug && error instanceof Error ? stackOf(error) : null;
  if (!isReplantError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      code: "REPLANT_INTERNAL",
      message: message === "" ? "an error without a message" : message,
      where: null,
      excerpt: null,
      why: null,
      state: null,
      hint: debug ? null : "the same command with --debug shows where it happened",
      items: [],
      log,
      exit: 1,
      stack,
    };
  }
  const { where, excerpt, why, state, hint, items } = error.details;
  const [kind]: readonly [ErrorKind, string] = errorCodes[error.code];
  return {
    code: error.code,
    message: error.message,
    where: where ?? null,
    excerpt: excerpt ?? null,
    why: why ?? null,
    state: state ?? null,
    hint: hint ?? null,
    items: items ?? [],
    log,
    exit: exitOf({ code: error.code, kind }, signal),
    stack,
  };
}

function stackOf(error: Error): string {
  const { cause } = error;
  const own = error.stack ?? error.message;
  return cause instanceof Error ? `${own}\ncaused by ${stackOf(cause)}` : own;
}

/** What a person reads: what, where, why, the state of their data, and what to do next. */
export function failureLines(failure: Failure, style: Style): string[] {
  const { code, message, where, excerpt, why, state, hint, items, log, stack } = failure;
  const label = (name: string, text: string | null): string[] =>
    text === null ? [] : text.split("\n").map((line, index) => `  ${(index === 0 ? name : "").padEnd(8)}${line}`);
  return [
    "",
    `${style.bad(style.strong(code))}  ${message}`,
    ...label("where", where),
    ...(excerpt === null ? [] : excerpt.split("\n").map((line) => `          ${style.faint(line)}`)),
    ...label("why", why),
    ...itemLines(items, code === "REPLANT_GUARD_PRODUCTION" ? "because" : null),
    ...label("state", state),
    ...label("fix", hint),
    ...label("log", log),
    ...(stack === null ? [] : ["", ...stack.split("\n").map((line) => style.faint(line))]),
  ];
}

function itemLines(items: readonly string[], label: string | null): string[] {
  const shown = items.slice(0, itemsMax);
  const lines = shown.map((item, index) =>
    label === null ? `          - ${item}` : `  ${(index === 0 ? label : "").padEnd(8)}${item}`,
  );
  return items.length <= itemsMax ? lines : [...lines, `          and ${items.length - itemsMax} more`];
}

/** The annotation that GitHub shows beside the line of the file. One per failure. */
export function githubAnnotation(failure: Failure): string {
  const place = failure.where === null ? null : /^([^:]+):(\d+)(?::\d+)?$/.exec(failure.where);
  const properties = [
    ...(place === null ? [] : [`file=${property(place[1] ?? "")}`, `line=${place[2]}`]),
    `title=${property(failure.code)}`,
  ];
  return `::error ${properties.join(",")}::${data(failure.message)}`;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
