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

/** What the list of commands says about one of them, and where the rest is. */
export interface CommandEntry {
  /** The words that name it: `["migrate", "up"]`. */
  readonly path: readonly [string] | readonly [string, string];
  readonly brief: string;
  /** Name of the folder that holds its files. */
  readonly folder: string;
  readonly load: () => Promise<CommandDetails>;
}

/** The rest of what is known about a command without running it. */
export interface CommandFacts<Flags extends FlagSpecs = FlagSpecs> {
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
}

/** Runs the handler of a command, which is loaded now. */
export type RunCommand = (
  context: Context,
  command: string,
  input: { readonly flags: FlagValues<FlagSpecs>; readonly words: readonly string[] },
) => Promise<void>;

export interface CommandDetails extends CommandFacts {
  readonly run: RunCommand;
}

/** Everything about one command: parsing, help, docs/cli.md and tests read it from here. */
export type CommandSpec = Omit<CommandEntry, "load"> & CommandFacts;

export interface Command {
  readonly spec: CommandSpec;
  readonly run: RunCommand;
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

/** Joins what is known of a command with its lazily loaded handler; the types of the flags are those of the facts. */
export function defineCommand<const Flags extends FlagSpecs>(
  facts: CommandFacts<Flags>,
  load: () => Promise<{ readonly handle: Handler<Flags> }>,
): CommandDetails {
  return {
    ...facts,
    run: (context, command, { flags, words: [argument = null, ...further] }) =>
      // Stricli parsed these flags by these very facts.
      context.execute(command, load, { flags: flags as FlagValues<Flags>, argument, further }),
  };
}
