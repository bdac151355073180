import type { Emit, Ports } from "@replant/core";
import type { ExitCode } from "./exit.ts";
import type { Environment, Terminal } from "./interaction.ts";
import type { Interruption } from "./interruption.ts";
import type { Redactor } from "./redact.ts";
import type { Header } from "./render/header.ts";
import type { Style } from "./render/style.ts";

/** The standard input, as far as it is looked at. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Where text goes. */
export interface Output {
  write(text: string): unknown;
}

/** An output that may be a terminal. */
export interface Screen extends Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  getColorDepth?(env: object): number;
}

/** How a command ended well: data for scripts, lines for people. */
export interface Outcome {
  /** Fields of the JSON document. */
  readonly document: object;
  readonly text: (style: Style) => readonly string[];
  /** What was asked for as text, for standard output; with --json the document is that. */
  readonly raw?: string;
  readonly exit?: ExitCode;
}

/** Everything that a handler sees of the process around it. */
export interface Cli {
  /** `reset`, `migrate up`. */
  readonly command: string;
  /** The command line in its parsed form, for printing the command that would work. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly terminal: Terminal;
  readonly stdin: Input;
  /** Standard error itself, for a question that draws on it. */
  readonly screen: Screen;
  readonly redact: Redactor;
  readonly interruption: Interruption;
  /** Lets a test put faults between the run and the real ports. */
  readonly decorate: (ports: Ports) => Ports;
  readonly header: (header: Header) => void;
  readonly emit: Emit;
  /** Prints one line of data at once, where --json=stream asked for that; null everywhere else. */
  readonly stream: ((line: object) => void) | null;
  /** Takes the progress line away while somebody is asked. */
  readonly pause: <Value>(work: () => Promise<Value>) => Promise<Value>;
  /** What is known of the run that is under way; a failure names its log by it. */
  readonly trace: Trace;
}

/** Filled in while the command goes on. */
export interface Trace {
  run: string | null;
  root: string | null;
}
