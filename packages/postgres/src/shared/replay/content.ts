import type { Catalog, ForeignKey, Table } from "@replant/core";
import { findTable, isSurrogate, naturalKey } from "@replant/core";
import { quoteIdent, quoteTable } from "../quote.ts";
import { keySql, relidSql } from "./tracking.ts";

/** Defaults that differ from one insert to the next, and so tell nothing of what a row means. */
const volatileDefault =
  /\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random)\s*\(|\bcurrent_|\blocaltime/i;

/** What a row says apart from what the database made up for it. */
export interface Content {
  readonly table: Table;
  readonly columns: readonly string[];
  /** References whose values the database made up. */
  readonly pointers: readonly ForeignKey[];
  readonly catalog: Catalog;
}

export function contentOf(table: Table, catalog: Catalog): Content {
  const pointers = table.foreignKeys.filter((key) => pointsAtSurrogate(key, catalog));
  const pointing = new Set(pointers.flatMap(({ columns }) => columns));
  const columns = table.columns
    .filter((column) => !column.generated && !isSurrogate(column) && !volatileDefault.test(column.default ?? ""))
    .map(({ name }) => name)
    .filter((name) => !pointing.has(name));
  return { table, columns, pointers, catalog };
}

/** True when another database has every column that the content is made of. */
export function hasAll(others: Catalog, { table, columns, pointers, catalog }: Content): boolean {
  const has = (of: Table, names: readonly string[]): boolean => {
    const other = findTable(others, of);
    return other !== undefined && names.every((name) => other.columns.some((column) => column.name === name));
  };
  const pointing = pointers.flatMap((key) => key.columns);
  return (
    has(table, [...columns, ...pointing]) &&
    pointers.every(({ target, targetColumns }) => {
      const to = findTable(catalog, target);
      return to === undefined || has(to, [...targetColumns, ...(naturalKey(to) ?? [])]);
    })
  );
}

/** Two hashes of the row `t`: without its pointers, and with what they point at. */
export function hashesSql(content: Content): string {
  const columns = content.columns.map((name) => `t.${quoteIdent(name)}`);
  const pointed = content.pointers.map((key) => pointerSql(key, { alias: "t", catalog: content.catalog, path: [] }));
  return `${hashSql(columns)} as plain, ${hashSql([...columns, ...pointed])} as pointed`;
}

const hashSql = (values: readonly string[]): string => `md5(row(${values.join(", ")})::text)`;

/**
 * True for a row `t` that the new database has too. What points at a kept row was made of it, unless the new database has a row that
 * points at the same one: to say the same of another row is not enough.
 */
export function likeSql(content: Content): string {
  const kept = content.pointers.map((key) => pointsAtKeptSql(key, content.catalog));
  const ofKept = kept.length === 0 ? "false" : `(${kept.join(" or ")})`;
  return `(select case when ${ofKept} then h.pointed in (select l.pointed from replant.replay_like l)
    else h.plain in (select l.plain from replant.replay_like l) end from (select ${hashesSql(content)}) h)`;
}

interface Pointing {
  readonly alias: string;
  readonly catalog: Catalog;
  /** Aliases on the way here; a natural key may be made of references itself. */
  readonly path: readonly string[];
}

/** What a pointer means: the natural key of its row, or the value as it is where there is none. */
function pointerSql(key: ForeignKey, { alias, catalog, path }: Pointing): string {
  const target = findTable(catalog, key.target);
  const natural = target === undefined ? null : naturalKey(target);
  if (target === undefined || natural === null || path.includes(quoteTable(target))) {
    return `row(${key.columns.map((name) => `${alias}.${quoteIdent(name)}`).join(", ")})::text`;
  }
  const there = `p${path.length}`;
  const values = natural.map((name) => {
    const via = target.foreignKeys.find(({ columns }) => columns.length === 1 && columns[0] === name);
    return via !== undefined && pointsAtSurrogate(via, catalog)
      ? pointerSql(via, { alias: there, catalog, path: [...path, quoteTable(target)] })
      : `${there}.${quoteIdent(name)}`;
  });
  return `(select row(${values.join(", ")})::text from ${quoteTable(target)} ${there} where ${joinSql(key, { alias, there })})`;
}

function pointsAtKeptSql(key: ForeignKey, catalog: Catalog): string {
  const target = findTable(catalog, key.target);
  const row = target === undefined ? null : keySql(target, "k");
  if (target === undefined || row === null) return "false";
  return `exists (select from ${quoteTable(target)} k join replant.replay_row r on r.relid = ${relidSql(target)}
    and r.role = 'kept' and r.key = ${row} where ${joinSql(key, { alias: "t", there: "k" })})`;
}

function joinSql(key: ForeignKey, { alias, there }: { alias: string; there: string }): string {
  return key.columns
    .map((name, i) => `${there}.${quoteIdent(key.targetColumns[i] ?? "")} = ${alias}.${quoteIdent(name)}`)
    .join(" and ");
}

function pointsAtSurrogate({ target, targetColumns }: ForeignKey, catalog: Catalog): boolean {
  const columns = findTable(catalog, target)?.columns ?? [];
  return columns.some((column) => targetColumns.includes(column.name) && isSurrogate(column));
}
