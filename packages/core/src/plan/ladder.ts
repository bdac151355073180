import type { AppliedMigration } from "../model/backup.ts";
import type { MigrationFile } from "../ports/migrator.ts";

/** Whether the project's own migrations can bring a backup's rows to today's schema. */
export type Route =
  /** `asked`: migrations could have run over the rows, and were not to. */
  | { readonly kind: "direct"; readonly why: string; readonly asked?: true }
  /** The backup has the first `level` of today's migrations; `pending` are the names of the others. */
  | { readonly kind: "replay"; readonly level: number; readonly pending: readonly string[]; readonly why: string };

/** A migrator and the migrations that rows were written under, in the order of application. */
export interface MigrationLevel {
  readonly migrator: string;
  readonly migrations: readonly AppliedMigration[];
}

/**
 * Compares the level of a backup with today's files. Only where the one is a true beginning of the other can migrations run over
 * the rows: an edited or missing file means that nobody knows what the rows were written under.
 * @param replay false: they are not to run, although they could
 */
export function chooseRoute(
  backup: MigrationLevel,
  project: { readonly migrator: string; readonly files: readonly MigrationFile[] },
  replay = true,
): Route {
  const { migrations } = backup;
  const { files } = project;
  if (backup.migrator !== project.migrator) {
    return { kind: "direct", why: `the backup's migrations are those of ${backup.migrator}` };
  }
  if (migrations.length === 0 && files.length > 0) return { kind: "direct", why: "the backup knows no migrations" };
  const differing = migrations.findIndex((applied, index) => !isSame(applied, files[index]));
  if (differing >= 0) return { kind: "direct", why: whyDifferent(migrations[differing], files, differing) };
  const pending = files.slice(migrations.length).map(({ name }) => name);
  if (pending.length === 0) return { kind: "direct", why: "the backup has today's migrations" };
  const count = pending.length === 1 ? "1 migration is" : `${pending.length} migrations are`;
  const why = `${count} newer than the backup`;
  if (!replay) return { kind: "direct", why: `${why}, and were not to run`, asked: true };
  return { kind: "replay", level: migrations.length, pending, why };
}

function isSame(applied: AppliedMigration, file: MigrationFile | undefined): boolean {
  if (file === undefined || file.name !== applied.name) return false;
  return [file.checksum, ...(file.equivalentChecksums ?? [])].includes(applied.checksum);
}

function whyDifferent(applied: AppliedMigration | undefined, files: readonly MigrationFile[], index: number): string {
  const name = applied?.name ?? "";
  const file = files.find((candidate) => candidate.name === name);
  if (file === undefined) return `the backup has the migration ${name}, which is not among the files`;
  if (!isSame(applied ?? { name, checksum: "" }, file)) return `the migration ${name} was changed since the backup`;
  return `the migration ${files[index]?.name ?? ""} stands before ${name}, and the backup does not have it`;
}
