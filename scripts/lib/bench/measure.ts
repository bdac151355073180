import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** A program, Node's unless said, and what it gets: nothing of this process's environment but the paths it needs. */
export interface Program {
  readonly command?: string;
  readonly entry: string;
  readonly args?: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One way of doing what an area compares. */
export interface Way {
  readonly name: string;
  readonly program: Program;
  /** Before each run, not timed. */
  readonly prepare?: () => Promise<void>;
  /** After each run, not timed: how many rows are still there of those that must survive. */
  readonly count?: () => Promise<number>;
  /** After each run, not timed: throws when the program did not do what it is measured for. */
  readonly check?: () => Promise<void>;
}

export interface WayResult {
  readonly name: string;
  /** Wall time of the whole process, from starting it to its end. */
  readonly runsMs: readonly number[];
  /** The most resident memory of the process itself in any run; null where the system does not tell. */
  readonly peakBytes: number | null;
  /** The fewest that any run left; null where nothing is to survive. */
  readonly kept: number | null;
}

const passedOn = ["PATH", "HOME", "TMPDIR", "LANG"];

/**
 * Runs whole processes in turns, A B C A B C, so that what else the machine does meets all of them; one round before
 * those that count warms caches.
 * @throws Error with the end of its output when a program fails
 */
export async function inTurns(
  ways: readonly Way[],
  { runs, tell }: { runs: number; tell: (text: string) => void },
): Promise<WayResult[]> {
  const times = new Map<Way, number[]>(ways.map((way) => [way, []]));
  const kept = new Map<Way, number>();
  const peaks = new Map<Way, number>();
  for (let round = 0; round <= runs; round += 1) {
    tell(round === 0 ? "warm-up" : `run ${round} of ${runs}`);
    for (const way of ways) {
      await way.prepare?.();
      const { elapsedMs, peakBytes } = await runOf(way.program);
      if (round > 0) times.get(way)?.push(elapsedMs);
      if (peakBytes !== null) peaks.set(way, Math.max(peakBytes, peaks.get(way) ?? 0));
      await way.check?.();
      if (way.count !== undefined) kept.set(way, Math.min(await way.count(), kept.get(way) ?? Infinity));
    }
  }
  return ways.map((way) => ({
    name: way.name,
    runsMs: times.get(way) ?? [],
    peakBytes: peaks.get(way) ?? null,
    kept: kept.get(way) ?? null,
  }));
}

/** Runs a program to its end, in milliseconds. */
export async function timeOf(program: Program): Promise<number> {
  return (await runOf(program)).elapsedMs;
}

interface ProgramRun {
  readonly elapsedMs: number;
  readonly peakBytes: number | null;
}

async function runOf({ command = process.execPath, entry, args = [], cwd, env = {} }: Program): Promise<ProgramRun> {
  const inherited = Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));
  const startedAt = performance.now();
  const child = spawn(command, [entry, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  let peakBytes: number | null = null;
  const sampling = setInterval(() => (peakBytes = peakOf(child.pid) ?? peakBytes), 20);
  const [code] = (await once(child, "close").finally(() => clearInterval(sampling))) as [number | null];
  const elapsedMs = performance.now() - startedAt;
  if (code === 0) return { elapsedMs, peakBytes };
  throw new Error(`${[entry, ...args].join(" ")} ended with ${code}\n${output.slice(-2000)}`);
}

/** The high-water mark that Linux keeps of a process: what it ever had, so that the last sample says it all. */
function peakOf(pid: number | undefined): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
