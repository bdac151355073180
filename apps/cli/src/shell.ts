import type { Ports } from "@replant/core";
import type { Input, Output, Screen } from "./cli.ts";
import type { Surroundings } from "./execute.ts";
import type { Arguments } from "./flags.ts";
import type { Environment } from "./interaction.ts";
import type { Interruption } from "./interruption.ts";

/** The process as the command sees it; whatever is absent is this process's own. */
export interface ShellOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  readonly stdin?: Input;
  readonly stdout?: Output;
  readonly stderr?: Screen;
  /** Told when the person wants out; without it nobody does. */
  readonly interruption?: Interruption;
  /** Puts something between the run and the real ports; tests inject faults with it. */
  readonly decorate?: (ports: Ports) => Ports;
}

/** What surrounds one command. Modules and streams are opened when they are needed: each costs a part of the start-up. */
export interface Shell {
  readonly env: Environment;
  /** For help and version, which need nothing else. */
  readonly print: (text: string) => void;
  /** Everything that a command needs, its streams open; always the same object. */
  readonly surroundings: (given: Arguments) => Promise<Surroundings>;
  /** Gives the streams back, everything written. */
  close(): Promise<void>;
}

export function openShell(options: ShellOptions): Shell {
  const streams = new OwnStreams();
  let around: Promise<Surroundings> | null = null;
  return {
    env: options.env ?? process.env,
    print: (text) => void (options.stdout ?? streams.use(process.stdout)).write(text),
    surroundings: (given) =>
      (around ??= import("./surroundings.ts").then(({ surround }) => surround(given, { options, streams }))),
    close: () => streams.close(),
  };
}

/** Streams of this process while they are ours. */
export class OwnStreams {
  readonly #used = new Set<NodeJS.WriteStream>();
  readonly #undo: (() => void)[] = [];

  use(stream: NodeJS.WriteStream): NodeJS.WriteStream {
    if (!this.#used.has(stream)) stream.on("error", ignoreGoneReader);
    this.#used.add(stream);
    return stream;
  }

  /** Something to be put back at the end. */
  onClose(undo: () => void): void {
    this.#undo.push(undo);
  }

  async close(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    await Promise.all([...this.#used].map((stream) => new Promise<void>((done) => stream.write("", () => done()))));
    for (const stream of this.#used) stream.off("error", ignoreGoneReader);
  }
}

/** Who reads our output may go away; the run does not depend on them. */
function ignoreGoneReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
