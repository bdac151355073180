import type { Command, CommandSpec } from "../command.ts";
import { commonFlags } from "../flags.ts";
import { backupCommand } from "./backup/command.ts";
import { backupCopyCommand } from "./backup-copy/command.ts";
import { backupDiffCommand } from "./backup-diff/command.ts";
import { backupExportCommand } from "./backup-export/command.ts";
import { backupImportCommand } from "./backup-import/command.ts";
import { backupRemoveCommand } from "./backup-remove/command.ts";
import { backupRenameCommand } from "./backup-rename/command.ts";
import { backupShowCommand } from "./backup-show/command.ts";
import { backupVerifyCommand } from "./backup-verify/command.ts";
import { backupsCommand } from "./backups/command.ts";
import { cleanCommand } from "./clean/command.ts";
import { migrateStatusCommand, migrateUpCommand } from "./migrate/command.ts";
import { planCommand } from "./plan/command.ts";
import { resetCommand } from "./reset/command.ts";
import { restoreCommand } from "./restore/command.ts";
import { seedCommand } from "./seed/command.ts";
import { serveCommand } from "./serve/command.ts";
import { statusCommand } from "./status/command.ts";
import { undoCommand } from "./undo/command.ts";

/** The command table, in the order of the help. A new command is added here; parsing, help and docs/cli.md follow. */
export const commands: readonly Command[] = [
  resetCommand,
  planCommand,
  undoCommand,
  backupCommand,
  backupVerifyCommand,
  backupShowCommand,
  backupDiffCommand,
  backupCopyCommand,
  backupRenameCommand,
  backupRemoveCommand,
  backupExportCommand,
  backupImportCommand,
  backupsCommand,
  restoreCommand,
  seedCommand,
  migrateStatusCommand,
  migrateUpCommand,
  statusCommand,
  cleanCommand,
  serveCommand,
];

/** Names of the flags that any command has. */
export const allFlags: readonly string[] = [
  ...new Set([...Object.keys(commonFlags), ...commands.flatMap(({ spec }) => Object.keys(spec.flags))]),
];

/** The command that these words begin with. */
export function specOf(words: readonly string[]): CommandSpec | undefined {
  const found = commands
    .map(({ spec }) => spec)
    .filter(({ path }) => path.every((word, index) => words[index] === word));
  return found.find(({ path }) => path.length === 2) ?? found[0];
}
