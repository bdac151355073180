import type { AppliedMigration } from "../model/backup.ts";
import type { MigrationFile, MigrationRecord } from "../ports/migrator.ts";

/**
 * Where the files and the database's own record disagree.
 * `edited`: applied, then changed · `missing`: applied, and the file is gone · `failed`: started and never finished ·
 * `out-of-order`: pending, although a later one is applied; a warning, it is applied all the same.
 */
export interface HistoryProblem {
  readonly kind: "edited" | "missing" | "failed" | "out-of-order";
  readonly migration: string;
  /** One line for a person. */
  readonly text: string;
}

export interface MigrationHistory {
  /** As the database recorded them, in its order; with those whose file is gone. */
  readonly applied: readonly AppliedMigration[];
  /** Files that the database does not have, in the order of application. Failed ones are not among them. */
  readonly pending: readonly MigrationFile[];
  readonly problems: readonly HistoryProblem[];
}

/**
 * Compares migration files with what a database recorded. A rolled-back record counts as none, so its file is pending again.
 * A name that failed once and was applied later is failed until somebody resolves the older record.
 */
export function compareHistory(files: readonly MigrationFile[], records: readonly MigrationRecord[]): MigrationHistory {
  const standing = records.filter((record) => record.state !== "rolled-back");
  const failed = new Set(standing.filter((record) => record.state === "failed").map((record) => record.name));
  const applied = standing.filter((record) => record.state === "applied");
  const known = new Set(standing.map((record) => record.name));
  const pending = files.filter((file) => !known.has(file.name));
  return {
    applied: applied.map(({ name, checksum }) => ({ name, checksum })),
    pending,
    problems: [
      ...[...failed].map((name) => problem("failed", name, "started and never finished")),
      ...applied.flatMap((record) => recordProblem(record, files, failed)),
      ...outOfOrder(files, pending, applied),
    ],
  };
}

/** The problems that stop an application: all but `out-of-order`. */
export function blockingProblems(history: MigrationHistory): HistoryProblem[] {
  return history.problems.filter((found) => found.kind !== "out-of-order");
}

function recordProblem(
  record: MigrationRecord,
  files: readonly MigrationFile[],
  failed: ReadonlySet<string>,
): HistoryProblem[] {
  if (failed.has(record.name)) return [];
  const file = files.find((candidate) => candidate.name === record.name);
  if (file === undefined) return [problem("missing", record.name, "applied, but its file is gone")];
  const accepted = [file.checksum, ...(file.equivalentChecksums ?? [])];
  if (accepted.includes(record.checksum)) return [];
  return [problem("edited", record.name, `${file.path} was changed after it was applied`)];
}

function outOfOrder(
  files: readonly MigrationFile[],
  pending: readonly MigrationFile[],
  applied: readonly MigrationRecord[],
): HistoryProblem[] {
  const names = new Set(applied.map((record) => record.name));
  const last = files.findLastIndex((file) => names.has(file.name));
  return pending
    .filter((file) => files.indexOf(file) < last)
    .map((file) => problem("out-of-order", file.name, `pending, although ${files[last]?.name ?? ""} is applied`));
}

function problem(kind: HistoryProblem["kind"], migration: string, what: string): HistoryProblem {
  return { kind, migration, text: `${migration}: ${what}` };
}
