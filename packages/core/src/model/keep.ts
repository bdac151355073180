/**
 * What to do with a reference whose row is not in the new database. `seed`: point at that row of the seeds instead; the value of
 * its natural key, or each column's where the key has several.
 */
export type OnMissing = "error" | "null" | "drop-row" | { readonly seed: string | Readonly<Record<string, string>> };
/** Who wins when a kept row and a row of the migrations or seeds share a key. */
export type OnConflict = "kept" | "seed" | "error";

/** Where the value of one column of the new table comes from, when that is not the column of the same name. */
export interface ColumnRule {
  /** The column's name in older backups. */
  readonly rename?: string;
  /** SQL for rows that have no value: the backup has no such column, or NULL in it. */
  readonly fill?: string;
  /** SQL over the backup's columns, by their old names and in their old types. */
  readonly convert?: string;
  /** Old text of the value to new text; null makes it NULL. Values that are not named stay. */
  readonly map?: Readonly<Record<string, string | null>>;
  /** The backup's values of this column are left behind on purpose. */
  readonly drop?: boolean;
  /** Whose value stays where a kept row takes the place of a seeded one. Absent: `kept`. */
  readonly from?: "kept" | "seed";
}

/** A reference that no foreign key says. */
export interface ReferenceRule {
  /** A column, then keys into its json; `*` stands for every member of a list or an object. */
  readonly path: readonly string[];
  /** Label of the table that is meant. */
  readonly table: string;
  /** Its column that the value is of; null: its primary key, which then has one column. */
  readonly column: string | null;
  /** SQL condition over the row's own columns: the reference is one only where it holds. null: always. */
  readonly when: string | null;
  readonly onMissing: OnMissing;
}

/** Which rows of a table survive a reset, and how they meet what is already there. */
export interface KeepRule {
  /** SQL condition over the table's own columns; `null` keeps every row. */
  readonly where: string | null;
  readonly onConflict: OnConflict;
  /** By the name of the foreign key's first column or of its constraint; absent means `error`. */
  readonly onMissing: Readonly<Record<string, OnMissing>>;
  /** Label of the table in older databases and backups, while it was called otherwise. */
  readonly renamedFrom?: string;
  /** By the column's name in the new table; of dropped ones, in the old. */
  readonly columns?: Readonly<Record<string, ColumnRule>>;
  readonly references?: readonly ReferenceRule[];
  /** True: a rule of Replant's own for a table that need not be there. */
  readonly optional?: true;
}

/** By table label (`users`, `billing.invoices`). */
export type KeepRules = Readonly<Record<string, KeepRule>>;

/** By table label: columns that tell what a row means, where the catalog does not say it. */
export type NaturalKeys = Readonly<Record<string, readonly string[]>>;
