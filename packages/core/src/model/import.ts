/** Rows of one table that come from elsewhere than a database. */
export interface ImportedTable {
  /** As a person writes it: `users`, `billing.invoices`. */
  readonly name: string;
  readonly role: "kept" | "context";
  /** The columns of each line, in order; null when there is no row to tell. */
  readonly columns: readonly string[] | null;
  /** COPY text in UTF-8, not yet looked at by a server. Read once, before the next table is asked for. */
  rows(): AsyncIterable<Uint8Array>;
}
