import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Which process writes here. A pid alone says little: it is used again, and means another process in another container or
 * after a restart of the machine.
 */
export interface ProcessMark {
  /** The running of the machine: a new one with every start. */
  readonly boot: string;
  /** The pid namespace. */
  readonly space: string;
  readonly pid: number;
  /** When the process began, in ticks since the machine did. */
  readonly started: string;
}

/**
 * The mark of a process, or null where the system does not tell (no `/proc`, no such process).
 * @param proc where `/proc` is mounted
 */
export async function processMark(pid: number, proc = "/proc"): Promise<ProcessMark | null> {
  try {
    const boot = (await readFile(join(proc, "sys/kernel/random/boot_id"), "utf8")).trim();
    const space = await readlink(join(proc, "self/ns/pid"));
    const started = startTime(await readFile(join(proc, String(pid), "stat"), "utf8"));
    return started === undefined ? null : { boot, space, pid, started };
  } catch {
    return null;
  }
}

/** Field 22 of `stat`. The second field is the program's name and may hold blanks and parentheses. */
function startTime(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/**
 * What became of the process of a mark. `unknown` when it belongs to another machine, another container, an earlier start
 * of this machine, or when the system does not tell.
 */
export async function processState(mark: ProcessMark, proc = "/proc"): Promise<"alive" | "dead" | "unknown"> {
  const self = await processMark(process.pid, proc);
  if (self === null || self.boot !== mark.boot || self.space !== mark.space) return "unknown";
  return (await processMark(mark.pid, proc))?.started === mark.started ? "alive" : "dead";
}

/** The mark in a file's bytes; null when they hold none. */
export function parseMark(bytes: Uint8Array): ProcessMark | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isMark(value) ? value : null;
  } catch {
    return null;
  }
}

function isMark(value: unknown): value is ProcessMark {
  if (typeof value !== "object" || value === null) return false;
  const { boot, space, pid, started } = value as Partial<Record<keyof ProcessMark, unknown>>;
  return [boot, space, started].every((text) => typeof text === "string") && Number.isSafeInteger(pid);
}
