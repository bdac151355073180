import type { AppliedMigration } from "../model/backup.ts";
import type { SqlSession } from "./session.ts";

export interface MigrationFile extends AppliedMigration {
  /** Path from the project's root, for messages. */
  readonly path: string;
  /** Other checksums that mean the same file to the tool, such as that with the other line ends. */
  readonly equivalentChecksums?: readonly string[];
}

/** A row of the migrator's state table. */
export interface MigrationRecord extends AppliedMigration {
  /** `failed`: started and never finished. */
  readonly state: "applied" | "failed" | "rolled-back";
}

/** Finds and applies the project's migrations. */
export interface Migrator {
  /** `prisma`, `sql`, … */
  readonly id: string;
  /** In the order of application. Reads files only. @throws ReplantError REPLANT_MIGRATION_INVALID */
  files(): Promise<MigrationFile[]>;
  /** Empty when the state table does not exist. */
  records(session: SqlSession): Promise<MigrationRecord[]>;
  /**
   * Applies what is pending, file by file, and records each as the tool itself would. Returns what this call applied.
   * `level`: only of the first so many files, as if the others did not exist yet.
   * Call it outside of a transaction.
   * @throws ReplantError REPLANT_MIGRATION_FAILED with file, line and the server's words | REPLANT_MIGRATION_HISTORY naming
   * each problem | REPLANT_LOCKED when another process applies migrations to the same database
   */
  apply(
    session: SqlSession,
    options?: { readonly level?: number; readonly onApplied?: (migration: MigrationFile) => void },
  ): Promise<AppliedMigration[]>;
  /** What the fingerprint hashes besides the files: version of the way migrations are applied. */
  readonly fingerprint: string;
}
