import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A process that has files of a directory open. */
export interface OpenProcess {
  readonly pid: number;
  /** `node`, as the kernel knows it. */
  readonly name: string;
}

/**
 * Other processes of this machine with files below `directory` open. Applications that open PGlite themselves take no lock of
 * ours and PGlite has none, so this is the only sign of them. Processes of other users cannot be seen; only Linux tells.
 */
export function processesIn(directory: string): OpenProcess[] {
  return numbersIn("/proc")
    .filter((pid) => pid !== process.pid && hasOpen(pid, `${directory}/`))
    .map((pid) => ({ pid, name: nameOf(pid) }));
}

function hasOpen(pid: number, prefix: string): boolean {
  const folder = join("/proc", String(pid), "fd");
  return numbersIn(folder).some((descriptor) =>
    (orNull(() => readlinkSync(join(folder, String(descriptor)))) ?? "").startsWith(prefix),
  );
}

function nameOf(pid: number): string {
  return orNull(() => readFileSync(join("/proc", String(pid), "comm"), "utf8").trim()) ?? "ended meanwhile";
}

function numbersIn(path: string): number[] {
  return (orNull(() => readdirSync(path)) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Processes come and go, and those of others are closed to us: what cannot be read does not count. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
