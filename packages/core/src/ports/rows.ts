import type { Table, TableName } from "../model/catalog.ts";
import type { CarryOutcome, CarryPlan, ReferencedBy, RowSelection } from "../model/carry.ts";
import type { SqlSession } from "./session.ts";

export interface SelectionFacts {
  readonly rows: number;
  /** Order-independent digest over the COPY text of the rows. */
  readonly digest: string;
  /** Columns of each line that `read` gives. */
  readonly columns: readonly string[];
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

/** Reads and writes rows through any session. All values travel as the server's own text. */
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
  /** COPY text of the selected rows. */
  read(session: SqlSession, selection: RowSelection): AsyncIterable<Uint8Array>;
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
  /** Differences by key of the tables that both databases have with the same columns. Keys are compared, not values shown. */
  difference(live: SqlSession, other: SqlSession, tables: readonly TableName[]): Promise<TableDifference[]>;
}
