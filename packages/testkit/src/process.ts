import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** How a Node program is run. */
export interface NodeOptions {
  readonly cwd: string;
  /** Added to the few variables that are passed on; `undefined` takes one of those away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `ignore` (the default) is an empty input; `closed` is no input at all: descriptor 0 is not open. */
  readonly stdin?: "ignore" | "closed";
  /** After this the process group is killed; 60 seconds unless given. */
  readonly timeoutMs?: number;
  /** Asked every few milliseconds; when it says yes, the process group is killed with SIGKILL. */
  readonly killAt?: (seen: NodeOutput) => boolean | Promise<boolean>;
}

/** What a program has written so far. */
export interface NodeOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program ended: by a code, or by a signal. */
export interface NodeResult extends NodeOutput {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** True when `timeoutMs` was over and the program was killed for it. */
  readonly timedOut: boolean;
}

/** A program under way. */
export interface RunningNode {
  readonly child: ChildProcess;
  readonly done: Promise<NodeResult>;
  seen(): NodeOutput;
}

/** All that a program gets of this process's environment: what finding files, programs and compiled code takes, no settings. */
const passedOn = ["PATH", "HOME", "TMPDIR", "LANG", "NODE_COMPILE_CACHE"];

/** Runs a Node program to its end. Never throws for how it ended. */
export function runNode(entry: string, args: readonly string[], options: NodeOptions): Promise<NodeResult> {
  return startNode(entry, args, options).done;
}

/** Starts a Node program in a process group of its own, for tests that act while it runs. */
export function startNode(entry: string, args: readonly string[], options: NodeOptions): RunningNode {
  const inherited = Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));
  const command = [process.execPath, entry, ...args];
  // Node cannot start a child with a closed descriptor 0, a shell can.
  const [file = "", ...rest] = options.stdin === "closed" ? ["sh", "-c", 'exec "$0" "$@" <&-', ...command] : command;
  const child = spawn(file, rest, {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output = { stdout: "", stderr: "" };
  const seen = (): NodeOutput => ({ ...output });
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
    // A grandchild outside the group could hold them open for ever.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, options.timeoutMs ?? 60_000);
  const done = new Promise<NodeResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...output, timedOut }));
  }).finally(() => clearTimeout(timer));
  const { killAt } = options;
  const watched = killAt
    ? Promise.all([done, killedWhen(child, () => killAt(seen()))]).then(([result]) => result)
    : done;
  return { child, done: watched, seen };
}

/**
 * Kills the process group of `child` with SIGKILL as soon as `predicate` holds; it is asked every few milliseconds.
 * `child` must lead its group (spawned `detached`).
 * @returns whether it was killed; false when it ended by itself first
 * @throws what `predicate` throws, after killing the group
 */
export async function killedWhen(child: ChildProcess, predicate: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    while (child.exitCode === null && child.signalCode === null) {
      if (await predicate()) {
        killGroup(child);
        return true;
      }
      await sleep(2);
    }
    return false;
  } catch (error) {
    killGroup(child);
    throw error;
  }
}

/** SIGKILL to `child` and to everything it started that did not leave its group; nothing when they have gone. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
