import type { BackupEntry, RecordedSequence } from "./backup.ts";
import type { Column, Table, TableName } from "./catalog.ts";
import type { ColumnRule, OnConflict, OnMissing } from "./keep.ts";

/** Which rows of one table a backup reads. */
export interface RowSelection {
  readonly table: Table;
  readonly role: "kept" | "context";
  /** Kept: the rule's SQL condition, null for all. Context: rows that `referencedBy` names and `exclude` does not. */
  readonly where: string | null;
  /** Context only: a row is selected when any of these references it. */
  readonly referencedBy: readonly ReferencedBy[];
  /** Context only: the kept rule of the same table, whose rows are in the kept part already; null when the table has none. */
  readonly exclude: { readonly where: string | null } | null;
  /** Columns that are read as if they said nothing; where they must say something, the value of `by` tells one row from another. */
  readonly masked?: Mask;
}

export interface Mask {
  readonly by: string;
  readonly columns: readonly string[];
}

/** Where the value of a reference that no foreign key says stands in a row. */
export interface ReferencePlace {
  /** Keys into the column's json, `*` for every member; empty: the column's own value. */
  readonly path: readonly string[];
  /** SQL condition over the row's own columns; null: always. */
  readonly when: string | null;
}

/** Rows of `target` columns that rows of `from` point at. */
export interface ReferencedBy {
  readonly from: RowSelection;
  readonly columns: readonly string[];
  readonly targetColumns: readonly string[];
  /** null: a foreign key over `columns`. Otherwise there is one column on either side, and values are compared as texts. */
  readonly place: ReferencePlace | null;
}

/**
 * How a table's rows get from the backup's schema to today's. `straight`: it is the same. `replay`: the project's pending
 * migrations run over the rows. `map`: columns by name and by rule, values cast by the server.
 */
export type Rung = "straight" | "replay" | "map";

/** How a column's value is made where it is not simply that of one column of the backup. */
export type ValueRule = Pick<ColumnRule, "convert" | "fill" | "map">;

/** One column of a kept row on its way. */
export interface CarryColumn {
  /** Name in the backup; null where only the rule makes the value. */
  readonly source: string | null;
  readonly target: Column;
  /** `same`: equal type, loaded as it is. `cast`: staged as text and cast by the server, after the rule where there is one. */
  readonly mode: "same" | "cast";
  readonly rule: ValueRule | null;
}

/** One column of the natural key by which a seeded row is found. */
export interface SeedKeyColumn {
  readonly name: string;
  readonly value: string;
  /** Set when the column is a reference itself: `value` is then what stands in `key` of the row of `target` that it means. */
  readonly via: { readonly target: TableName; readonly targetColumn: string; readonly key: string } | null;
}

/** How a reference of a carried table finds its row in the new database. */
export interface CarryReference {
  /** The foreign key's name, or `rule:` and the path of a reference that the configuration says. */
  readonly constraint: string;
  readonly columns: readonly string[];
  readonly target: TableName;
  readonly targetColumns: readonly string[];
  /**
   * `kept`: only rows that are carried themselves can be meant, ids are equal. `natural-key`: through the context rows of the
   * target (kept rows of the target stay themselves). `same-id`: the target has no natural key; the same value must exist.
   */
  readonly by: "kept" | "natural-key" | "same-id";
  readonly onMissing: OnMissing;
  /** See `ReferencedBy.place`. */
  readonly place: ReferencePlace | null;
  /** The seeded row of the rule `{ seed }`; null with every other rule. */
  readonly seed: readonly SeedKeyColumn[] | null;
}

export interface CarryTable {
  readonly table: Table;
  /** The table as the backup has it; it may have had another name. */
  readonly source: Table;
  readonly rung: Rung;
  /** Why this rung, for people. */
  readonly why: string;
  /** Id of the backup's part. */
  readonly entry: string;
  /** Its form. A `binary` part has `same` columns only. */
  readonly copy: BackupEntry["copy"];
  /** Of the part, as recorded when it was written. */
  readonly rows: number;
  readonly digest: string;
  /**
   * First the columns of the part's lines, in order, with what becomes of each (`null`: it goes nowhere), then those that only
   * rules make.
   */
  readonly columns: readonly (CarryColumn | null)[];
  readonly sourceColumns: readonly string[];
  /** Columns that the new table does not have, and of which no rule says that they may go. */
  readonly droppedColumns: readonly string[];
  /** New columns that the backup does not have; they take the database's default or NULL. */
  readonly defaultedColumns: readonly { readonly name: string; readonly value: string }[];
  /** Columns that may have been renamed, one line each with the rule that would say so. */
  readonly suggestions: readonly string[];
  /** Columns that identify a row: primary key, else a not-null unique key, else null. */
  readonly identity: readonly string[] | null;
  /** Every plain unique key of the new table whose columns are all carried, primary first. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly onConflict: OnConflict;
  /** Columns whose seeded value stays where a row takes the place of a seeded one. */
  readonly seedColumns: readonly string[];
  readonly references: readonly CarryReference[];
}

/** A column of a natural key; `via` when the value is itself a reference that has to be translated first. */
export interface NaturalKeyColumn {
  readonly name: string;
  /** NULLs are equal to one another. */
  readonly nullable: boolean;
  readonly via: { readonly target: TableName; readonly targetColumn: string } | null;
}

/** Rows of the backup that are looked up in the new database, never written. */
export interface ContextTable {
  readonly table: Table;
  readonly entry: string;
  /** Of the part, as recorded when it was written. */
  readonly rows: number;
  readonly sourceColumns: readonly string[];
  readonly naturalKey: readonly NaturalKeyColumn[];
  /** The configuration says the natural key: nothing but the rows themselves can tell that it is one. */
  readonly declared: boolean;
}

/** Rows that an earlier run left behind, on their way into a candidate that has everybody else's already. */
export interface CarryRetry {
  /** What `RowPort.mark` gave before live's own rows came into the candidate: none of those gives way. */
  readonly since: string;
  readonly wanted: readonly WantedRows[];
}

/** Rows of one table as `QuarantinedRow.row` names them; null: all of them. */
export interface WantedRows {
  readonly table: string;
  readonly rows: readonly string[] | null;
}

/** How the rows of one backup go into one candidate. Pure data: the engine turns it into SQL. */
export interface CarryPlan {
  /** In foreign-key order where there is one; cycles are loaded with deferred checks. */
  readonly tables: readonly CarryTable[];
  /** In the order in which natural keys can be translated. */
  readonly context: readonly ContextTable[];
  /** How far the sequences of the carried tables had come. */
  readonly sequences: readonly RecordedSequence[];
  /** Kept parts that cannot go anywhere: the whole table, with the reason. */
  readonly impossible: readonly { readonly table: TableName; readonly rows: number; readonly reason: string }[];
  /** Set when only some of the rows are meant; the others count as dropped, and mean their like in the candidate. */
  readonly retry: CarryRetry | null;
}

/** A row that could not be carried. Values other than the key are not shown. */
export interface QuarantinedRow {
  readonly table: TableName;
  /** `id=…` in the columns of the table's identity. */
  readonly row: string;
  readonly reason: string;
}

/** A reference that now means another id for the same natural key. */
export interface RepointedReference {
  readonly table: TableName;
  readonly constraint: string;
  /** Rows of the kept table whose reference changed. */
  readonly rows: number;
  /** Distinct old values with what they are now and what joined the two (`server_key=github`). At most 1,000 are listed. */
  readonly mappings: readonly { readonly from: string; readonly to: string; readonly key: string }[];
}

/** Rows to which the rule for a missing reference was applied. */
export interface MissingReference {
  readonly table: TableName;
  readonly constraint: string;
  readonly rule: "null" | "drop-row" | "seed";
  readonly rows: number;
  /** The rows as `QuarantinedRow.row` names them; at most 1,000. */
  readonly listed: readonly string[];
}

/** What happened to one table's kept rows: `inBackup = carried + dropped + quarantined` always. */
export interface CarriedTable {
  readonly table: TableName;
  readonly inBackup: number;
  /** Rows found again in the candidate after the load, by reading it. */
  readonly carried: number;
  /** Of `carried`: rows that took the place of a row of the migrations or seeds. */
  readonly replacedSeeded: number;
  /** Those rows as `QuarantinedRow.row` names them; at most 1,000. */
  readonly merged: readonly string[];
  /** Rows left out by a rule: `drop-row`, or `seed` wins. */
  readonly dropped: number;
  readonly quarantined: number;
}

export interface CarryOutcome {
  readonly tables: readonly CarriedTable[];
  readonly repointed: readonly RepointedReference[];
  /** References to which a rule other than `error` was applied. */
  readonly missing: readonly MissingReference[];
  /** At most 10,000 are listed; the counts in `tables` are complete. */
  readonly quarantined: readonly QuarantinedRow[];
}

/** How the rows of one table came into the new database. */
export interface CarryWay {
  /** Label in the new database, and in the backup; null where migrations have made the table's rows of those of others. */
  readonly table: string;
  readonly from: string | null;
  readonly rung: Rung;
  readonly why: string;
  readonly droppedColumns: readonly string[];
  readonly defaultedColumns: readonly { readonly name: string; readonly value: string }[];
  /** Columns whose values a rule made. */
  readonly ruledColumns: readonly string[];
  readonly suggestions: readonly string[];
  /** Only on `replay`. */
  readonly migrated: MigratedRows | null;
}

/** What pending migrations made of a table's kept rows: `loaded = survived + removed`, and `survived + added` went on. */
export interface MigratedRows {
  readonly loaded: number;
  readonly survived: number;
  /** Kept rows that the migrations deleted. */
  readonly removed: number;
  /** `id=...` of removed rows; at most 1,000. */
  readonly removedRows: readonly string[];
  /** Rows that the migrations made of kept ones. */
  readonly added: number;
  /** Rows that the migrations insert into every database; the new one has its own. */
  readonly own: number;
}
