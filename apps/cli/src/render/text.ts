import type { RunEvent, StepKind } from "@replant/core";
import type { Output } from "../cli.ts";
import type { Terminal } from "../interaction.ts";
import type { Failure } from "./failure.ts";
import { failureLines } from "./failure.ts";
import type { Header } from "./header.ts";
import { headerLine } from "./header.ts";
import type { Style } from "./style.ts";
import { styleOf } from "./style.ts";
import { cut, duration, seconds } from "./words.ts";

/** Tells a person what happens, while it happens. */
export interface Reporter {
  readonly style: Style;
  header(header: Header): void;
  event(event: RunEvent): void;
  lines(lines: readonly string[]): void;
  failure(failure: Failure): void;
  /** Runs `work` with the progress line away. */
  pause<Value>(work: () => Promise<Value>): Promise<Value>;
  /** Ends timers. May be called twice. */
  close(): void;
}

export interface ReporterOptions {
  readonly terminal: Terminal;
  readonly output: Output;
  /** Milliseconds, for durations only. */
  readonly now: () => number;
}

/** The step that is under way. */
interface Current {
  readonly step: StepKind;
  readonly title: string;
  readonly startedAt: number;
  progress: string | null;
  /** When the first progress of this unit was told, and how far it was then. */
  since: { readonly unit: string; readonly at: number; readonly done: number } | null;
}

const frames = ["-", "\\", "|", "/"];
const frameMs = 100;
const heartbeatMs = 10_000;

/** Ticks and a moving line on a terminal, one plain line per fact everywhere else. */
export function createReporter(options: ReporterOptions): Reporter {
  const { terminal, output, now } = options;
  const style = styleOf(terminal);
  const startedAt = now();
  let current: Current | null = null;
  const progress = terminal.rich
    ? movingLine(options, () => current)
    : heartbeat(options, { startedAt, current: () => current });
  const print = (lines: readonly string[]): void => {
    progress.clear();
    if (lines.length > 0) output.write(lines.map((line) => `${line}\n`).join(""));
  };
  return {
    style,
    header: (header) => print([headerLine(header, { style, terminal })]),
    lines: print,
    failure: (failure) => print(failureLines(failure, style)),
    event: (event) => {
      if (event.type === "step-start") {
        current = { step: event.step, title: event.title, startedAt: now(), progress: null, since: null };
        progress.start();
        return;
      }
      if (event.type === "progress") {
        if (current === null) return;
        if (current.since?.unit !== event.unit) current.since = { unit: event.unit, at: now(), done: event.done };
        current.progress = progressText(event, { since: current.since, nowMs: now() });
        return;
      }
      if (event.type !== "notice") {
        current = null;
        progress.stop();
      }
      print(terminal.rich ? richEvent(event, style) : plainEvent(event, now() - startedAt));
    },
    pause: async (work) => {
      progress.stop();
      progress.clear();
      try {
        return await work();
      } finally {
        if (current !== null) progress.start();
      }
    },
    close: () => {
      progress.stop();
      progress.clear();
    },
  };
}

/** A rate is known only after a while. */
const rateAfterMs = 2_000;

/** How far something is; where it takes longer, how fast it goes, and how long that will take. */
function progressText(
  { done, total, unit }: Extract<RunEvent, { type: "progress" }>,
  { since, nowMs }: { since: NonNullable<Current["since"]>; nowMs: number },
): string {
  const far = `${done}${total === null ? "" : `/${total}`} ${unit}`;
  const elapsedMs = nowMs - since.at;
  const perSecond = ((done - since.done) / elapsedMs) * 1000;
  if (elapsedMs < rateAfterMs || perSecond < 1) return far;
  const left = total === null ? "" : `, ${duration(((total - done) / perSecond) * 1000)} left`;
  return `${far}, ${Math.round(perSecond)}/s${left}`;
}

type Shown = Exclude<RunEvent, { type: "step-start" | "progress" }>;

/** A step that found nothing to do is no news. */
function isNews(event: Shown): boolean {
  return !(event.type === "step-end" && event.step === "clean" && event.note === null);
}

function richEvent(event: Shown, style: Style): string[] {
  if (!isNews(event)) return [];
  if (event.type === "notice") {
    return [event.level === "warning" ? `  ${style.careful("!")} ${event.text}` : `    ${style.faint(event.text)}`];
  }
  const took = duration(event.durationMs);
  if (event.type === "step-failed") return [`  ${style.bad("✖")} ${columnsOf(event.title, took, style)}  failed`];
  const note = event.note === null ? "" : `   ${style.faint(event.note)}`;
  return [`  ${style.good("✔")} ${columnsOf(event.title, took, style)}${note}`];
}

/** Title and time in columns, where there is room for columns. */
function columnsOf(title: string, took: string, style: Style): string {
  return style.columns < 72 ? `${title} ${took}` : `${title.padEnd(44)} ${took.padStart(6)}`;
}

function plainEvent(event: Shown, elapsedMs: number): string[] {
  if (!isNews(event)) return [];
  const at = `+${seconds(elapsedMs)}`;
  if (event.type === "notice") return [`${at} ${event.level === "warning" ? "warning  " : "note     "} ${event.text}`];
  const what = `${at} ${event.step.padEnd(9)}`;
  if (event.type === "step-failed") return [`${what} failed after ${duration(event.durationMs)}`];
  const note = event.note === null ? "" : ` (${event.note})`;
  return [`${what} ${withoutStep(event.title, event.step)} in ${duration(event.durationMs)}${note}`];
}

/** `backup   134 rows` after the word `backup` is just `134 rows`. */
function withoutStep(title: string, step: StepKind): string {
  const words = title.split(/\s+/);
  return (words[0] === step ? words.slice(1) : words).join(" ") || "done";
}

/** The part of a reporter that shows that something still goes on. */
interface Progress {
  start(): void;
  stop(): void;
  /** Takes the moving line off the screen, so that something else can be printed. */
  clear(): void;
}

/** One line that is written over itself. Blanks erase it, not escape codes: NO_COLOR on a terminal then sees none at all. */
function movingLine({ terminal, output, now }: ReporterOptions, current: () => Current | null): Progress {
  let timer: NodeJS.Timeout | null = null;
  let width = 0;
  let frame = 0;
  const clear = (): void => {
    if (width > 0) output.write(`\r${" ".repeat(width)}\r`);
    width = 0;
  };
  const draw = (): void => {
    const step = current();
    if (step === null) return;
    frame = (frame + 1) % frames.length;
    const done = step.progress === null ? "" : `  ${step.progress}`;
    const text = cut(
      `  ${frames[frame]} ${step.title}${done}  ${duration(now() - step.startedAt)}`,
      terminal.columns - 1,
    );
    output.write(`\r${text}${" ".repeat(Math.max(0, width - text.length))}`);
    width = Math.max(width, text.length);
  };
  return {
    start: () => {
      timer ??= setInterval(draw, frameMs).unref();
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
    clear,
  };
}

/** A line every ten seconds, so that a log that is watched is seen to live. */
function heartbeat(
  { output, now }: ReporterOptions,
  { startedAt, current }: { startedAt: number; current: () => Current | null },
): Progress {
  let timer: NodeJS.Timeout | null = null;
  const beat = (): void => {
    const step = current();
    if (step === null) return;
    const done = step.progress === null ? "" : `: ${step.progress}`;
    output.write(`+${seconds(now() - startedAt)} ${step.step.padEnd(9)} still at work${done}\n`);
  };
  return {
    start: () => {
      timer ??= setInterval(beat, heartbeatMs).unref();
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
    clear: () => undefined,
  };
}
