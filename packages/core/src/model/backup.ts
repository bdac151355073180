import type { Table, TableName } from "./catalog.ts";
import type { KeepRule } from "./keep.ts";

/** One migration as a database recorded it. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

/** Where a backup comes from; compared before it is restored. */
export interface Lineage {
  /** The cluster's `system_identifier`; for embedded the data directory's. */
  readonly systemIdentifier: string;
  readonly database: string;
  /** The project's own uuid, from its state directory. */
  readonly project: string;
}

/** Rows of one table in a backup, as the server's own COPY gave them. */
export interface BackupEntry {
  /** The part's name inside the backup: `t` and four digits. Never a table's name. */
  readonly id: string;
  /** `kept` rows are carried; `context` rows only tell which row a reference means. */
  readonly role: "kept" | "context";
  /** The table as it was, so that the rows can be read without its database. */
  readonly table: Table;
  /** The columns of each row, in order; generated columns are absent. */
  readonly columns: readonly string[];
  /** The form of COPY. `binary` is for values that are too large for text; only a server of the same major version reads it. */
  readonly copy: "text" | "binary";
  readonly rows: number;
  /** Order-independent digest that the server computed over the same rows (`digestSql` of the engine). */
  readonly digest: string;
  /** Bytes that COPY gave. */
  readonly sizeBytes: number;
  /** Bytes in the store. */
  readonly storedBytes: number;
  /** sha256 (hex) of the stored bytes. */
  readonly sha256: string;
}

/** A keep rule as a backup records it: to be shown, and to restore tables of which the project says nothing any more. */
export interface RecordedRule extends Pick<KeepRule, "where" | "onConflict"> {
  /** A rule that needs more than a word is recorded as `error`: what it means is the project's to say. */
  readonly onMissing: Readonly<Record<string, "error" | "null" | "drop-row">>;
}

/** How far a sequence had come that gives values to a column of a kept table. */
export interface RecordedSequence extends TableName {
  readonly table: TableName;
  readonly column: string;
  /** Decimal digits, a minus sign before them where it counts below zero. */
  readonly lastValue: string;
  /** False when `lastValue` itself is the next one to be given. */
  readonly isCalled: boolean;
}

/** What a backup says about itself; sealed by a hash over everything else. */
export interface BackupManifest {
  readonly format: 1;
  readonly tool: string;
  /** `2026-11-20T09-41-02-123Z-a81f`: UTC time to the millisecond and four characters of the run. */
  readonly id: string;
  readonly run: string;
  /** Counts the backups of a store from 1. This is what "newer" means: clocks jump. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly lineage: Lineage;
  readonly server: { readonly version: string; readonly encoding: string };
  readonly migrator: string;
  readonly migrations: readonly AppliedMigration[];
  /** By table label. */
  readonly keep: Readonly<Record<string, RecordedRule>>;
  /** Read after the rows, so that none of them is ahead of its sequence. */
  readonly sequences: readonly RecordedSequence[];
  readonly entries: readonly BackupEntry[];
}

/** What is written beside a backup after it was sealed; the backup itself never changes. */
export interface BackupNote {
  /** A name that a person gave: lower-case letters, digits and dashes, with a letter among them. */
  readonly label: string | null;
  /** When it was last read to its end and was whole. ISO 8601, UTC. */
  readonly verifiedAt: string | null;
  /** What the last reading to its end found wrong; null when it found nothing. */
  readonly damage: string | null;
}

/** One line of `replant backups`. */
export interface BackupSummary {
  readonly id: string;
  /** null when the manifest cannot be read. */
  readonly sequence: number | null;
  readonly label: string | null;
  readonly createdAt: string;
  readonly tables: number;
  readonly keptRows: number;
  readonly storedBytes: number;
  readonly database: string;
  readonly lastMigration: string | null;
  readonly latest: boolean;
  /** When it was last read to its end and was whole: at the latest when it was sealed. null when it is damaged. ISO 8601, UTC. */
  readonly verifiedAt: string | null;
  /** Set when the manifest cannot be trusted; such a backup is listed, never used. */
  readonly damage: string | null;
}
