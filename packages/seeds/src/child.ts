import { spawn, type ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

export interface ChildRequest {
  readonly command: readonly string[];
  /** Absolute path. */
  readonly cwd: string;
  /** All that the child sees. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface ChildEnd {
  /** `exit`: it ended by itself, with `code` 0 or not. `not-started`: see `why`. */
  readonly how: "exit" | "signal" | "timeout" | "aborted" | "not-started";
  readonly code: number | null;
  /** One line for a person. */
  readonly why: string;
  /** The end of what it wrote, both streams as they came, without control characters. */
  readonly output: string;
}

const outputMaxCharacters = 8_000;
const outputMaxLines = 40;
const graceMs = 5_000;

/**
 * Runs a program in a process group of its own and waits until it and everything that it started have ended. On abort and
 * timeout the group gets SIGTERM, after five seconds SIGKILL. What outlives the program itself is killed. Never throws.
 */
export async function runChild(request: ChildRequest): Promise<ChildEnd> {
  const [program = "", ...args] = request.command;
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: request.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    shell: false,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-2 * outputMaxCharacters);
    });
  }
  let stopped: "timeout" | "aborted" | null = null;
  let kill: NodeJS.Timeout | undefined;
  const stop = (reason: "timeout" | "aborted"): void => {
    stopped ??= reason;
    signalGroup(child, "SIGTERM");
    kill ??= setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
  };
  const abort = (): void => stop("aborted");
  const timeout = setTimeout(() => stop("timeout"), request.timeoutMs);
  request.signal?.addEventListener("abort", abort, { once: true });
  if (request.signal?.aborted === true) abort();
  // Whatever the program left running would keep the pipes open, and write into a database that is thought ready.
  child.once("exit", () => signalGroup(child, "SIGKILL"));
  try {
    return { ...(await ended(child, () => stopped, request.timeoutMs)), output: tail(output) };
  } finally {
    clearTimeout(timeout);
    clearTimeout(kill);
    request.signal?.removeEventListener("abort", abort);
  }
}

function ended(
  child: ChildProcess,
  stopped: () => "timeout" | "aborted" | null,
  timeoutMs: number,
): Promise<Omit<ChildEnd, "output">> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ how: "not-started", code: null, why: error.message }));
    child.once("close", (code, signal) => {
      const reason = stopped();
      if (reason === "aborted") resolve({ how: reason, code, why: "the run was interrupted" });
      else if (reason === "timeout") resolve({ how: reason, code, why: `it did not end within ${timeoutMs} ms` });
      else if (signal !== null) resolve({ how: "signal", code, why: `it was ended by ${signal}` });
      else resolve({ how: "exit", code, why: `it ended with exit code ${code}` });
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
    return;
  }
}

function tail(output: string): string {
  const text = stripVTControlCharacters(output).replaceAll(/[^\P{Cc}\n\t]/gu, "");
  return text.slice(-outputMaxCharacters).trimEnd().split("\n").slice(-outputMaxLines).join("\n");
}
