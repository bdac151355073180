import type { Column, ForeignKey, Table } from "../model/catalog.ts";
import { tableLabel } from "../model/catalog.ts";
import type { NaturalKeys } from "../model/keep.ts";

const surrogateDefault = /\b(nextval|gen_random_uuid|uuid_generate_v[147]\w*|uuidv[47]|gen_ulid|nanoid)\s*\(/i;

/** True when the database makes the value, so that it says nothing about what the row means. */
export function isSurrogate(column: Column): boolean {
  return column.identity !== "none" || (column.default !== null && surrogateDefault.test(column.default));
}

/**
 * The natural key of a table: the declared one, else a unique set of not-null columns, none of them made by the database. Of
 * those the primary key comes last, because programs may make its values; then the fewest columns win, then the key's name, so
 * that the choice does not depend on the order of creation. null when there is none.
 */
export function naturalKey(table: Table, declared: NaturalKeys = {}): readonly string[] | null {
  return naturalKeys(table, declared)[0] ?? null;
}

/** Every natural key of a table, the one that `naturalKey` chooses first. */
export function naturalKeys(table: Table, declared: NaturalKeys = {}): (readonly string[])[] {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const natural = table.keys.filter(
    (key) =>
      // A primary key of a uuid alone says nothing, whoever makes it.
      !(key.primary && key.columns.length === 1 && isPlainUuid(table, key.columns[0])) &&
      key.columns.every((name) => {
        const column = columns.get(name);
        return column !== undefined && column.notNull && !column.generated && !isSurrogate(column);
      }),
  );
  natural.sort(
    (a, b) =>
      Number(a.primary) - Number(b.primary) || a.columns.length - b.columns.length || (a.name < b.name ? -1 : 1),
  );
  const own = declaredKey(table, declared);
  return [...(own === null ? [] : [own]), ...natural.map((key) => key.columns)];
}

function isPlainUuid(table: Table, name = ""): boolean {
  const column = table.columns.find((candidate) => candidate.name === name);
  return column?.baseType === "uuid" && referenceOf(table, name) === null;
}

/** The natural key that the configuration says, where the table has its columns. */
export function declaredKey(table: Table, declared: NaturalKeys): readonly string[] | null {
  const key = declared[tableLabel(table)] ?? declared[`${table.schema}.${table.name}`];
  return key?.every((name) => table.columns.some((column) => column.name === name)) === true ? key : null;
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
