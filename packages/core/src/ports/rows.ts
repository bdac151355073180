import type { BackupEntry, RecordedSequence } from "../model/backup.ts";
import type { Table, TableName } from "../model/catalog.ts";
import type { CarryOutcome, CarryPlan, MigratedRows, ReferencedBy, RowSelection } from "../model/carry.ts";
import type { KeepRules } from "../model/keep.ts";
import type { SqlSession } from "./session.ts";

export interface SelectionFacts {
  readonly rows: number;
  /** Order-independent digest over the rows, in the form in which `read` gives them. */
  readonly digest: string;
  /** Columns of each row that `read` gives. Of context rows those are left out whose values are too large to point at. */
  readonly columns: readonly string[];
  /** `binary` where a row is too large for COPY text. */
  readonly copy: BackupEntry["copy"];
}

/** COPY text for some columns of a table. */
export interface StagedRows {
  readonly table: Table;
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<Uint8Array>;
}

/** The rows of one part of a backup, by its id. Read once. */
export type RowSource = (entry: string) => AsyncIterable<Uint8Array>;

export interface TableCount {
  readonly table: TableName;
  readonly rows: number;
}

/** Rows by which two databases differ in one table. */
export interface TableDifference {
  readonly table: TableName;
  readonly onlyLive: number;
  readonly onlyOther: number;
  readonly changed: number;
}

/** What a replay has made of the rows of one table that is kept. */
export interface HarvestedTable extends MigratedRows {
  readonly table: Table;
  /** Part of the backup whose rows they were; null where migrations have made all of them. */
  readonly entry: string | null;
  /** SQL condition that selects the rows which go on; holds in the session that harvested, until it writes. */
  readonly where: string;
}

export interface Harvest {
  readonly tables: readonly HarvestedTable[];
  /** Parts whose table the migrations dropped. */
  readonly gone: readonly { readonly entry: string; readonly table: TableName; readonly rows: number }[];
  /** Rows that migrations have made of kept ones in tables of which no rule says that they are kept. */
  readonly unkept: readonly TableCount[];
}

/** Reads and writes rows through any session. All values travel as the server itself wrote them. */
export interface RowPort {
  /** Exact counts. */
  count(session: SqlSession, tables: readonly Table[]): Promise<TableCount[]>;
  describe(session: SqlSession, selection: RowSelection): Promise<SelectionFacts>;
  /** Rows of `reference.from` that point at a row of the target's table which is there and which `target` does not select. */
  unkept(session: SqlSession, target: RowSelection, reference: ReferencedBy): Promise<number>;
  /** Large objects of the database. */
  largeObjects(session: SqlSession): Promise<number>;
  /**
   * Puts rows that come from elsewhere into a temporary table of this session's transaction, with the types of `table`'s columns
   * and nothing else of it. The selection that it gives describes and reads them as if they stood in `table`.
   * @throws the server's error when a value is none of its column's type
   */
  stage(session: SqlSession, staged: StagedRows): Promise<RowSelection>;
  /** The selected rows as COPY gives them, in the form and with the columns that `describe` found. */
  read(
    session: SqlSession,
    selection: RowSelection,
    facts: Pick<SelectionFacts, "columns" | "copy">,
  ): AsyncIterable<Uint8Array>;
  /** How far the sequences have come that give values to columns of these tables. Those that may not be read are absent. */
  sequences(session: SqlSession, tables: readonly TableName[]): Promise<RecordedSequence[]>;
  /** A moment of this database: what is written later can be told from what was there, by `CarryRetry.since`. */
  mark(session: SqlSession): Promise<string>;
  /**
   * Loads kept rows in one transaction: stage, translate references, merge, insert, fix sequences. Rows that do not fit are
   * quarantined, never skipped. Foreign keys are checked before it returns; user triggers do not fire.
   * The transaction is committed; a candidate with quarantined rows is the caller's to throw away.
   */
  carry(session: SqlSession, plan: CarryPlan, source: RowSource): Promise<CarryOutcome>;
  /**
   * Reads the candidate back after `carry` in the same session: each carried row is compared column by column with what was
   * staged, constraints must be valid, sequences past their columns. Returns one line per finding; empty is good.
   */
  verify(session: SqlSession, plan: CarryPlan, outcome: CarryOutcome): Promise<string[]>;
  /**
   * Puts the rows of a backup into a database at the backup's own level, where they meet what migrations have inserted; a backup's
   * row wins. Foreign keys are not held against them: they point at rows that no backup has.
   * @throws ReplantError REPLANT_CARRY_FAILED when the tables are not as the backup has them
   */
  fill(session: SqlSession, entries: readonly BackupEntry[], source: RowSource): Promise<void>;
  /**
   * What became of filled rows since. Rows that the migrations insert into any database are told from those that they make of
   * kept rows by looking for their like in `candidate`.
   */
  harvest(session: SqlSession, request: { readonly keep: KeepRules; readonly candidate: SqlSession }): Promise<Harvest>;
  /** Rows of a filled database that the server's error is about, `table id=...`; at most 20. Empty where it cannot be told. */
  offenders(session: SqlSession, error: unknown): Promise<string[]>;
  /**
   * One row as the server's text of each column, by the values of the columns that identify it; null when there is none.
   * @throws the server's error when a value is none of its column's type
   */
  find(session: SqlSession, table: Table, key: readonly string[]): Promise<Record<string, string | null> | null>;
  /** Differences by key of the tables that both databases have with the same columns. Keys are compared, not values shown. */
  difference(live: SqlSession, other: SqlSession, tables: readonly TableName[]): Promise<TableDifference[]>;
}
