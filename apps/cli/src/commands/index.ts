import type { Command, CommandDetails, CommandEntry } from "../command.ts";
import { commonFlags } from "../flags.ts";

/**
 * The command table, in the order of the help. A new command is added here; parsing, help and docs/cli.md follow. Only what the
 * list of commands needs stands here: the rest is loaded with the command, for each file costs a part of the start-up.
 */
export const commandTable: readonly CommandEntry[] = [
  {
    path: ["reset"],
    folder: "reset",
    brief: "Rebuild live from migrations and seeds, and carry over the rows that must survive",
    load: async () => (await import("./reset/command.ts")).command,
  },
  {
    path: ["plan"],
    folder: "plan",
    brief: "Show what a reset would do, per table, and change nothing",
    load: async () => (await import("./plan/command.ts")).command,
  },
  {
    path: ["apply"],
    folder: "apply",
    brief: "Execute a plan that was written down, as long as nothing has changed since",
    load: async () => (await import("./apply/command.ts")).command,
  },
  {
    path: ["undo"],
    folder: "undo",
    brief: "Make the database that was live before the last swap live again",
    load: async () => (await import("./undo/command.ts")).command,
  },
  {
    path: ["backup"],
    folder: "backup",
    brief: "Back up the rows of live that a reset would keep, or all of them",
    load: async () => (await import("./backup/command.ts")).command,
  },
  {
    path: ["backup", "verify"],
    folder: "backup-verify",
    brief: "Read backups to their end and compare every byte with what was recorded",
    load: async () => (await import("./backup-verify/command.ts")).command,
  },
  {
    path: ["backup", "show"],
    folder: "backup-show",
    brief: "Show the tables of a backup, or the rows of one of them, without restoring",
    load: async () => (await import("./backup-show/command.ts")).command,
  },
  {
    path: ["backup", "diff"],
    folder: "backup-diff",
    brief: "Count per table which rows were added, removed and changed between two backups",
    load: async () => (await import("./backup-diff/command.ts")).command,
  },
  {
    path: ["backup", "copy"],
    folder: "backup-copy",
    brief: "Copy a backup into another store",
    load: async () => (await import("./backup-copy/command.ts")).command,
  },
  {
    path: ["backup", "rename"],
    folder: "backup-rename",
    brief: "Give a backup a label that means it wherever an id does",
    load: async () => (await import("./backup-rename/command.ts")).command,
  },
  {
    path: ["backup", "remove"],
    folder: "backup-remove",
    brief: "Remove backups for good",
    load: async () => (await import("./backup-remove/command.ts")).command,
  },
  {
    path: ["backup", "export"],
    folder: "backup-export",
    brief: "Write a backup as one JSON document",
    load: async () => (await import("./backup-export/command.ts")).command,
  },
  {
    path: ["backup", "import"],
    folder: "backup-import",
    brief: "Make a backup of a JSON document",
    load: async () => (await import("./backup-import/command.ts")).command,
  },
  {
    path: ["backups"],
    folder: "backups",
    brief: "List the backups, newest first",
    load: async () => (await import("./backups/command.ts")).command,
  },
  {
    path: ["restore"],
    folder: "restore",
    brief: "Rebuild live and put the rows of a backup into it",
    load: async () => (await import("./restore/command.ts")).command,
  },
  {
    path: ["explain"],
    folder: "explain",
    brief: "Show what a run did to the kept rows, table by table or for one row",
    load: async () => (await import("./explain/command.ts")).command,
  },
  {
    path: ["retry"],
    folder: "retry",
    brief: "Carry the rows that a run left behind, after a rule, a migration or a seed was corrected",
    load: async () => (await import("./retry/command.ts")).command,
  },
  {
    path: ["seed"],
    folder: "seed",
    brief: "Add and update what seeds own in live",
    load: async () => (await import("./seed/command.ts")).command,
  },
  {
    path: ["migrate", "status"],
    folder: "migrate",
    brief: "Show which migrations live has, which it lacks, and where the two histories disagree",
    load: async () => (await import("./migrate/command.ts")).migrateStatusCommand,
  },
  {
    path: ["migrate", "up"],
    folder: "migrate",
    brief: "Apply pending migrations to live in place",
    load: async () => (await import("./migrate/command.ts")).migrateUpCommand,
  },
  {
    path: ["identity", "pull"],
    folder: "identity",
    brief: "Write everything that the identity provider has into live",
    load: async () => (await import("./identity/command.ts")).pullCommand,
  },
  {
    path: ["identity", "drift"],
    folder: "identity",
    brief: "Say how live differs from the identity provider",
    load: async () => (await import("./identity/command.ts")).driftCommand,
  },
  {
    path: ["identity", "reconcile"],
    folder: "identity",
    brief: "Make live equal to the identity provider",
    load: async () => (await import("./identity/command.ts")).reconcileCommand,
  },
  {
    path: ["identity", "replay"],
    folder: "identity",
    brief: "Apply messages of the identity provider again",
    load: async () => (await import("./identity/command.ts")).replayCommand,
  },
  {
    path: ["identity", "serve"],
    folder: "identity",
    brief: "Receive webhooks of the identity provider",
    load: async () => (await import("./identity/command.ts")).serveCommand,
  },
  {
    path: ["identity", "status"],
    folder: "identity",
    brief: "Show the instance, the inbox and the last listing",
    load: async () => (await import("./identity/command.ts")).statusCommand,
  },
  {
    path: ["identity", "show"],
    folder: "identity",
    brief: "Show one user, organization or membership, and why it is as it is",
    load: async () => (await import("./identity/command.ts")).showCommand,
  },
  {
    path: ["identity", "schema"],
    folder: "identity",
    brief: "Print the tables that messages and tombstones are kept in",
    load: async () => (await import("./identity/command.ts")).schemaCommand,
  },
  {
    path: ["status"],
    folder: "status",
    brief: "Show live, previous, baselines, the last run and the backups",
    load: async () => (await import("./status/command.ts")).command,
  },
  {
    path: ["clean"],
    folder: "clean",
    brief: "Drop databases and backups that are not needed any more",
    load: async () => (await import("./clean/command.ts")).command,
  },
  {
    path: ["serve"],
    folder: "serve",
    brief: "Let programs reach the embedded database over a port of this machine",
    load: async () => (await import("./serve/command.ts")).command,
  },
];

/** The entry that these words begin with. */
export function entryOf(words: readonly string[]): CommandEntry | undefined {
  const found = commandTable.filter(({ path }) => path.every((word, index) => words[index] === word));
  return found.find(({ path }) => path.length === 2) ?? found[0];
}

/** One command, complete. */
export async function loadCommand(entry: CommandEntry): Promise<Command> {
  const { load, ...known } = entry;
  const { run, ...details }: CommandDetails = await load();
  return { spec: { ...known, ...details }, run };
}

/** Every command, for the documentation and for checks that concern all. */
export async function loadCommands(): Promise<Command[]> {
  return Promise.all(commandTable.map(loadCommand));
}

/** Names of the flags that any command has. */
export async function allFlags(): Promise<string[]> {
  const commands = await loadCommands();
  return [...new Set([...Object.keys(commonFlags), ...commands.flatMap(({ spec }) => Object.keys(spec.flags))])];
}
