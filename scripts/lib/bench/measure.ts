import { spawn } from "node:child_process";
import { once } from "node:events";

/** A program and what it gets: nothing of this process's environment but the paths it needs. */
export interface Program {
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
}

export interface WayResult {
  readonly name: string;
  /** Wall time of the whole process, from starting it to its end. */
  readonly runsMs: readonly number[];
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
  for (let round = 0; round <= runs; round += 1) {
    tell(round === 0 ? "warm-up" : `run ${round} of ${runs}`);
    for (const way of ways) {
      await way.prepare?.();
      const elapsedMs = await timeOf(way.program);
      if (round > 0) times.get(way)?.push(elapsedMs);
      if (way.count !== undefined) kept.set(way, Math.min(await way.count(), kept.get(way) ?? Infinity));
    }
  }
  return ways.map((way) => ({ name: way.name, runsMs: times.get(way) ?? [], kept: kept.get(way) ?? null }));
}

/** Runs a program to its end, in milliseconds. */
export async function timeOf({ entry, args = [], cwd, env = {} }: Program): Promise<number> {
  const inherited = Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  const elapsedMs = performance.now() - startedAt;
  if (code === 0) return elapsedMs;
  throw new Error(`${[entry, ...args].join(" ")} ended with ${code}\n${output.slice(-2000)}`);
}
