/** What to do with a reference whose row is not in the new database. */
export type OnMissing = "error" | "null" | "drop-row";
/** Who wins when a kept row and a row of the migrations or seeds share a key. */
export type OnConflict = "kept" | "seed" | "error";

/** Which rows of a table survive a reset, and how they meet what is already there. */
export interface KeepRule {
  /** SQL condition over the table's own columns; `null` keeps every row. */
  readonly where: string | null;
  readonly onConflict: OnConflict;
  /** By the name of the foreign key's first column or of its constraint; absent means `error`. */
  readonly onMissing: Readonly<Record<string, OnMissing>>;
}

/** By table label (`users`, `billing.invoices`). */
export type KeepRules = Readonly<Record<string, KeepRule>>;
