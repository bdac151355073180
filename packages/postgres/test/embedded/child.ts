import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A process of its own that runs one of `children/`; it is killed when the test ends, if not before. */
export interface Child {
  readonly pid: number;
  /** Its lines so far. */
  readonly lines: readonly string[];
  /** The next line that it writes. Rejects when it ends first. */
  line(): Promise<string>;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
}

export function startChild(name: string, ...args: string[]): Child {
  const script = fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = createInterface({ input: child.stdout });
  const lines: string[] = [];
  const errors: string[] = [];
  output.on("line", (line) => lines.push(line));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString("utf8")));
  const kill = (): Promise<void> => killed(child);
  onTestFinished(kill);
  return { pid: child.pid ?? 0, lines, line: () => nextLine(output, child, errors), kill };
}

async function nextLine(output: Interface, child: ChildProcess, errors: readonly string[]): Promise<string> {
  const done = new AbortController();
  try {
    const { signal } = done;
    const line = once(output, "line", { signal }).then(([text]) => String(text));
    const end = once(child, "close", { signal }).then(() => {
      throw new Error(`the child ended: ${errors.join("")}`);
    });
    return await Promise.race([line, end]);
  } finally {
    done.abort();
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "close");
  child.kill("SIGKILL");
  await gone;
}
