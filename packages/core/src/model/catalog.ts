/** A table's name; both parts are data as the catalog holds them, never quoted. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** `schema.name` for messages and map keys, `name` alone in schema `public`. Not for SQL: see `quoteTable`. */
export function tableLabel(table: TableName): string {
  return table.schema === "public" ? table.name : `${table.schema}.${table.name}`;
}

export interface Column {
  readonly name: string;
  /** `format_type` of the server: `timestamp(3) with time zone`, `user_role`, `text[]`. */
  readonly type: string;
  /** The same without the modifier in parentheses. */
  readonly baseType: string;
  readonly notNull: boolean;
  /** SQL of the default, or null. Of a generated column: its expression. */
  readonly default: string | null;
  /** `always` columns need OVERRIDING SYSTEM VALUE to be written. */
  readonly identity: "none" | "default" | "always";
  readonly generated: boolean;
  /** Labels in order when the type (or its element type) is an enum. */
  readonly enumLabels: readonly string[] | null;
}

/** A primary key or a plain unique key: not partial, no expressions, valid. */
export interface Key {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly target: TableName;
  /** Same order and length as `columns`. */
  readonly targetColumns: readonly string[];
}

export interface Table extends TableName {
  /** In the table's order; dropped columns are absent. */
  readonly columns: readonly Column[];
  readonly keys: readonly Key[];
  readonly foreignKeys: readonly ForeignKey[];
  /** The planner's estimate, -1 when never analysed. */
  readonly rowEstimate: number;
  /** Tables that are listed themselves inherit from it: its own rows are those that ONLY gives. Not recorded in backups. */
  readonly hasChildren?: true;
}

/** Ordinary and partitioned tables of the user's schemas, sorted by schema and name; partitions are part of their parent. */
export interface Catalog {
  readonly tables: readonly Table[];
}

/** Finds a table by name. */
export function findTable(catalog: Catalog, name: TableName): Table | undefined {
  return catalog.tables.find((table) => table.schema === name.schema && table.name === name.name);
}

/** Finds a table by what a person writes: `users` (schema public) or `schema.users`. */
export function findTableByLabel(catalog: Catalog, label: string): Table | undefined {
  return catalog.tables.find((table) => tableLabel(table) === label || `${table.schema}.${table.name}` === label);
}

export function sameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}
