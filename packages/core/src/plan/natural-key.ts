import type { Column, ForeignKey, Table } from "../model/catalog.ts";

const surrogateDefault = /\b(nextval|gen_random_uuid|uuid_generate_v[147]\w*|uuidv[47]|gen_ulid|nanoid)\s*\(/i;

/** True when the database makes the value, so that it says nothing about what the row means. */
export function isSurrogate(column: Column): boolean {
  return column.identity !== "none" || (column.default !== null && surrogateDefault.test(column.default));
}

/**
 * The natural key of a table: a unique set of not-null columns, none of them made by the database. The fewest columns win, then
 * the key's name, so that the choice does not depend on the order of creation. null when there is none.
 */
export function naturalKey(table: Table): readonly string[] | null {
  return naturalKeys(table)[0] ?? null;
}

/** Every natural key of a table, the one that `naturalKey` chooses first. */
export function naturalKeys(table: Table): (readonly string[])[] {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const natural = table.keys.filter((key) =>
    key.columns.every((name) => {
      const column = columns.get(name);
      return column !== undefined && column.notNull && !column.generated && !isSurrogate(column);
    }),
  );
  natural.sort((a, b) => a.columns.length - b.columns.length || (a.name < b.name ? -1 : 1));
  return natural.map((key) => key.columns);
}

/** The columns that tell one row from another: the primary key, else a unique key without NULLs, else null. */
export function identityColumns(table: Table): readonly string[] | null {
  const notNull = new Set(table.columns.filter((column) => column.notNull).map((column) => column.name));
  const keys = table.keys.filter((key) => key.primary || key.columns.every((name) => notNull.has(name)));
  return (keys.find((key) => key.primary) ?? keys[0])?.columns ?? null;
}

/** The single-column foreign key that a column of a natural key is, if it is one. */
export function referenceOf(table: Table, column: string): ForeignKey | null {
  return table.foreignKeys.find((key) => key.columns.length === 1 && key.columns[0] === column) ?? null;
}
