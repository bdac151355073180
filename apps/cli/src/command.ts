import type { CommandContext } from "@stricli/core";
import type { Cli, Outcome } from "./cli.ts";
import type { ExitCode } from "./exit.ts";
import type { FlagSpecs, FlagValues } from "./flags.ts";

/** What a handler is called with. */
export interface Input<Flags extends FlagSpecs> {
  readonly flags: FlagValues<Flags>;
  /** The first positional argument, null where none was given. */
  readonly argument: string | null;
  /** Those after it, for commands that take more than one. */
  readonly further: readonly string[];
}

/** The work of one command: everything it prints is in what it returns, or in the events of the run. */
export type Handler<Flags extends FlagSpecs> = (cli: Cli, input: Input<Flags>) => Promise<Outcome>;

/** A positional argument. */
export interface ArgumentSpec {
  readonly placeholder: string;
  readonly brief: string;
}

/** Everything that is known about one command without running it: parsing, help, docs/cli.md and tests read it from here. */
export interface CommandSpec<Flags extends FlagSpecs = FlagSpecs> {
  /** The words that name it: `["migrate", "up"]`. */
  readonly path: readonly [string] | readonly [string, string];
  readonly brief: string;
  /** Paragraphs for `--help` and the documentation. */
  readonly description: string;
  readonly flags: Flags;
  readonly argument: ArgumentSpec | null;
  /** Arguments after the first one. */
  readonly further?: readonly ArgumentSpec[];
  /** The argument may be given any number of times. */
  readonly many?: true;
  readonly examples: readonly { readonly line: string; readonly meaning: string }[];
  /** Exit codes that this command can give, besides those that every command can. */
  readonly exits: readonly ExitCode[];
  /** Name of the folder that holds SIDE_EFFECTS.md. */
  readonly folder: string;
}

/** A command of the table: its spec, and the code that is loaded when it runs. */
export interface Command {
  readonly spec: CommandSpec;
  readonly run: (context: Context, flags: FlagValues<FlagSpecs>, words: readonly string[]) => Promise<void>;
}

/** What Stricli hands to a command. */
export interface Context extends CommandContext {
  /** Runs a handler and remembers how it ended. */
  readonly execute: <Flags extends FlagSpecs>(
    command: string,
    load: () => Promise<{ readonly handle: Handler<Flags> }>,
    input: Input<Flags>,
  ) => Promise<void>;
}

/** Joins a spec with its lazily loaded handler; the types of the flags are those of the spec. */
export function defineCommand<const Flags extends FlagSpecs>(
  spec: CommandSpec<Flags>,
  load: () => Promise<{ readonly handle: Handler<Flags> }>,
): Command {
  return {
    spec,
    run: (context, flags, [argument = null, ...further]) =>
      // Stricli parsed these flags by this very spec.
      context.execute(spec.path.join(" "), load, { flags: flags as FlagValues<Flags>, argument, further }),
  };
}
