import type { SeedInfo } from "@replant/core";
import { ReplantError } from "@replant/core";
import { nameProblems } from "./define.ts";

/** A repository's own seed script, run as a child process. Declared in the configuration. */
export interface CommandSeed {
  readonly name: string;
  readonly set: string;
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** From the project's root, which is the default. */
  readonly cwd?: string;
  /** Globs from the project's root: the files that decide what the command writes. */
  readonly inputs: readonly string[];
  readonly description?: string;
  readonly dependsOn?: readonly string[];
  /** Set for a command that may rightly add no row to a new database. */
  readonly mayBeEmpty?: boolean;
  /** Names of further environment variables that the command may see. */
  readonly passEnv?: readonly string[];
  /** Ten minutes by default. */
  readonly timeoutMs?: number;
}

/** A command seed with nothing left open. */
export interface CheckedCommandSeed extends SeedInfo, Required<Omit<CommandSeed, keyof SeedInfo>> {
  readonly kind: "command";
}

const defaultTimeoutMs = 600_000;

/** @throws ReplantError REPLANT_SEED_INVALID naming everything that is wrong with one entry */
export function checkCommandSeed(entry: CommandSeed): CheckedCommandSeed {
  const problems = nameProblems({ name: entry.name, set: entry.set });
  if (entry.command.length === 0) problems.push("command is empty");
  if (entry.inputs.length === 0) problems.push("inputs is empty: without it a change of the script would go unseen");
  if (problems.length > 0) {
    throw new ReplantError("REPLANT_SEED_INVALID", `command seed "${entry.name}" is not declared correctly`, {
      items: problems,
    });
  }
  return {
    kind: "command",
    name: entry.name,
    set: entry.set,
    command: entry.command,
    cwd: entry.cwd ?? ".",
    inputs: entry.inputs,
    description: entry.description ?? null,
    dependsOn: entry.dependsOn ?? [],
    mayBeEmpty: entry.mayBeEmpty ?? false,
    passEnv: entry.passEnv ?? [],
    timeoutMs: entry.timeoutMs ?? defaultTimeoutMs,
    where: entry.command.join(" "),
  };
}
