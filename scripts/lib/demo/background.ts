import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const patienceMs = 60_000;
/** The app gives requests under way 10 seconds. */
const graceMs = 15_000;

/** A Node program that runs beside the demo. What it prints is kept, not shown. */
export class Background {
  /** What it has printed so far, on either stream. */
  readonly lines: string[] = [];
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #listeners = new Set<() => void>();
  #over = false;

  /** @param command the file and its arguments @param options.signal ends waiting, not the program */
  constructor(
    name: string,
    command: readonly string[],
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
  ) {
    this.#name = name;
    this.#signal = options.signal;
    const child = spawn(process.execPath, command, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#hear(line));
    }
    child.once("close", () => {
      this.#over = true;
      this.#tell();
    });
  }

  /**
   * Waits until what was printed from line `from` on is `wanted`, and answers with what `wanted` made of it.
   * @throws Error with everything that it has said when it ends before, or takes a minute
   */
  async until<Value>(wanted: (lines: readonly string[]) => Value | null, from = 0): Promise<Value> {
    const late = AbortSignal.timeout(patienceMs);
    const stopped = AbortSignal.any([late, this.#signal]);
    for (;;) {
      const found = wanted(this.lines.slice(from));
      if (found !== null) return found;
      if (this.#over || stopped.aborted) {
        const why = this.#over ? "ended" : late.aborted ? "does not do what it should" : "was interrupted";
        throw new Error([`${this.#name} ${why}; it said:`, ...this.lines].join("\n"));
      }
      await this.#news(stopped);
    }
  }

  /** Waits for a line and answers with its match; as `until`. */
  line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.until((lines) => {
      for (const line of lines) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      return null;
    }, from);
  }

  /** Ends it, by force when it takes too long. May be called twice. */
  async stop(): Promise<void> {
    if (this.#over) return;
    const timer = setTimeout(() => this.kill(), graceMs);
    this.#child.kill("SIGTERM");
    await once(this.#child, "close");
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #hear(line: string): void {
    this.lines.push(line);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** The next line, the end, or the end of waiting. */
  #news(stopped: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done);
        stopped.removeEventListener("abort", done);
        resolve();
      };
      this.#listeners.add(done);
      stopped.addEventListener("abort", done);
    });
  }
}
