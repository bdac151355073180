import type { RowSelection, SqlSession, Table, TableCount, TableName } from "@replant/core";
import { identityColumns } from "@replant/core";
import { columnList, quoteIdent, quoteLiteral, quoteTable } from "./quote.ts";

/** Columns that a backup stores: all but generated ones, which the database makes again. */
export function storedColumns(selection: RowSelection): string[] {
  return selection.table.columns.filter((column) => !column.generated).map((column) => column.name);
}

/** `select … from …` for the rows of a selection. Conditions of keep rules are the project's own SQL and stand alone in a scope. */
export function selectionSql(selection: RowSelection, columns: readonly string[]): string {
  const list = columns.length === 0 ? "" : columnList(columns);
  return `select ${list} from ${quoteTable(selection.table)} where ${conditionSql(selection)}`;
}

function conditionSql(selection: RowSelection): string {
  if (selection.role === "kept") return selection.where === null ? "true" : `(${selection.where}\n)`;
  const referenced = selection.referencedBy.map(
    ({ from, columns, targetColumns }) => `(${columnList(targetColumns)}) in (${selectionSql(from, columns)})`,
  );
  const condition = referenced.length === 0 ? "false" : `(${referenced.join(" or ")})`;
  const { exclude } = selection;
  if (exclude === null) return condition;
  return exclude.where === null ? "false" : `${condition} and (${exclude.where}\n) is not true`;
}

/**
 * Count and order-independent digest of rows, computed by the server from their text: equal rows give equal digests in any
 * database whose sessions print values alike.
 */
export function digestSql(expressions: readonly string[], from: string): string {
  return `select count(*)::text as rows,
    coalesce(sum(('x' || substr(md5(row(${expressions.join(", ")})::text), 1, 15))::bit(60)::bigint), 0)::text as digest from ${from}`;
}

/** Exact row counts in one query; tables keep their order. */
export async function countRows(session: SqlSession, tables: readonly TableName[]): Promise<TableCount[]> {
  if (tables.length === 0) return [];
  const parts = tables.map((table, index) => `select ${index} as i, count(*)::text as rows from ${quoteTable(table)}`);
  const rows = await session.query<{ i: number; rows: string }>(parts.join(" union all "));
  const counts = new Map(rows.map((row) => [row.i, Number(row.rows)]));
  return tables.map((table, index) => ({ table, rows: counts.get(index) ?? 0 }));
}

/** See `RowPort.find`. */
export async function findRow(
  session: SqlSession,
  table: Table,
  key: readonly string[],
): Promise<Record<string, string | null> | null> {
  const identity = identityColumns(table);
  if (identity === null || identity.length !== key.length) return null;
  const values = table.columns.map(({ name }) => `t.${quoteIdent(name)}::text`).join(", ");
  const equal = identity.map((name, i) => {
    const type = table.columns.find((column) => column.name === name)?.type ?? "text";
    return `t.${quoteIdent(name)} = $${i + 1}::text::${type}`;
  });
  const [row] = await session.query<{ values: (string | null)[] }>(
    `select array[${values}]::text[] as values from ${quoteTable(table)} t where ${equal.join(" and ")} limit 1`,
    key,
  );
  if (row === undefined) return null;
  return Object.fromEntries(table.columns.map(({ name }, index) => [name, row.values[index] ?? null]));
}

/** `'label='` glued to a value's text, for naming rows in messages. */
export function keyLabelSql(columns: readonly string[], expression: (column: string) => string): string {
  return columns
    .map((name) => `${quoteLiteral(`${name}=`)} || coalesce((${expression(name)})::text, 'NULL')`)
    .join(` || ', ' || `);
}
