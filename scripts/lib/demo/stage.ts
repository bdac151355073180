import { styleText } from "node:util";
import { Background } from "./background.ts";
import type { CommandOptions, DemoWorkspace } from "./workspace.ts";

/** Where acts happen: what they say and check, and the programs that run beside them. */
export class Stage {
  failures = 0;
  readonly #interruption = new AbortController();
  readonly #background: Background[] = [];

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.#interruption.abort());
    // After `clear` there is nothing to end: this is for an end that nobody foresaw.
    process.on("exit", () => this.#background.forEach((program) => program.kill()));
  }

  get interrupted(): boolean {
    return this.#interruption.signal.aborted;
  }

  /** A paragraph. */
  say(...lines: string[]): void {
    console.log(`\n${lines.join("\n")}`);
  }

  /** What a person would type for what comes now. */
  type(line: string): void {
    this.say(styleText("bold", `$ ${line}`, { stream: process.stdout }));
  }

  check(holds: boolean, text: string): void {
    if (!holds) this.failures += 1;
    const mark = holds
      ? styleText("green", "[ok]", { stream: process.stdout })
      : styleText("red", "[!!]", { stream: process.stdout });
    console.log(`  ${mark} ${text}`);
  }

  /** Runs a command in front of everybody. @throws Error when it fails, or is interrupted: then it has cleaned up first */
  async command(workspace: DemoWorkspace, args: readonly string[], options?: CommandOptions): Promise<void> {
    this.#goOn();
    this.type(`replant ${args.join(" ")}`);
    const code = await workspace.replant(args, options);
    this.#goOn();
    if (code !== 0) throw new Error(`replant ${args.join(" ")} ended with ${code}`);
  }

  /** Starts a program that runs until `clear`. */
  start(
    name: string,
    command: readonly string[],
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  ): Background {
    this.#goOn();
    const program = new Background(name, command, { ...options, signal: this.#interruption.signal });
    this.#background.push(program);
    return program;
  }

  /** Ends every program that was started, the last one first. */
  async clear(): Promise<void> {
    for (let program = this.#background.pop(); program !== undefined; program = this.#background.pop()) {
      await program.stop();
    }
  }

  #goOn(): void {
    if (this.interrupted) throw new Error("interrupted");
  }
}
