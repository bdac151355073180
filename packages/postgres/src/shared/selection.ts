import type { Column, ReferencedBy, RowSelection, SqlSession, Table, TableCount } from "@replant/core";
import { identityColumns, messageOf, ReplantError, sqlState, tableLabel } from "@replant/core";
import { idTextSql, placedValuesSql } from "./placed-values.ts";
import { columnList, ownRows, quoteIdent, quoteLiteral, quoteTable } from "./quote.ts";

/** Columns that a backup stores: all but generated ones, which the database makes again. */
export function storedColumns(selection: RowSelection): string[] {
  return selection.table.columns.filter((column) => !column.generated).map((column) => column.name);
}

/** `select … from …` for the rows of a selection. Conditions of keep rules are the project's own SQL and stand alone in a scope. */
export function selectionSql(selection: RowSelection, columns: readonly string[]): string {
  const list = columns.length === 0 ? "" : columnList(columns);
  return `select ${list} from ${ownRows(selection.table)} where ${conditionSql(selection)}`;
}

/** The same as it is backed up: masked columns say nothing, or only which row they are of. */
export function storedSql(selection: RowSelection, columns: readonly string[]): string {
  const { masked, table } = selection;
  if (masked === undefined) return selectionSql(selection, columns);
  const values = columns.map((name) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (column === undefined || !masked.columns.includes(name)) return quoteIdent(name);
    return `${maskedSql(column, masked.by)} as ${quoteIdent(name)}`;
  });
  return `select ${values.join(", ")} from ${ownRows(table)} where ${conditionSql(selection)}`;
}

function maskedSql({ type, baseType, notNull }: Column, by: string): string {
  if (!notNull) return `null::${type}`;
  if (baseType.endsWith("[]")) return `'{}'::${type}`;
  if (baseType === "json" || baseType === "jsonb") return `'{}'::${type}`;
  if (baseType === "boolean") return `false::${type}`;
  return `('masked-' || ${quoteIdent(by)}::text)::${type}`;
}

function conditionSql(selection: RowSelection): string {
  if (selection.role === "kept") return selection.where === null ? "true" : `(${selection.where}\n)`;
  const referenced = selection.referencedBy.map((reference) => pointedAtSql(selection.table, reference));
  const condition = referenced.length === 0 ? "false" : `(${referenced.join(" or ")})`;
  const { exclude } = selection;
  if (exclude === null) return condition;
  return exclude.where === null ? "false" : `${condition} and (${exclude.where}\n) is not true`;
}

/** The condition that a row of `table` is one that the reference means. */
function pointedAtSql(table: Table, { from, columns, targetColumns, place }: ReferencedBy): string {
  if (place === null) return `(${columnList(targetColumns)}) in (${selectionSql(from, columns)})`;
  const [column = "", target = ""] = [columns[0], targetColumns[0]];
  const rows = selectionSql(
    from,
    from.table.columns.map(({ name }) => name),
  );
  const type = from.table.columns.find(({ name }) => name === column)?.baseType ?? "";
  const targetType = table.columns.find(({ name }) => name === target)?.baseType;
  const values = placedValuesSql({ rows, column, type, place });
  return `${quoteIdent(target)}::text in (select ${idTextSql("v.value", targetType)} from (${values}) v)`;
}

/** See `RowPort.unkept`. */
export async function countUnkept(session: SqlSession, target: RowSelection, reference: ReferencedBy): Promise<number> {
  const { from, columns, targetColumns, place } = reference;
  const left = `select * from ${ownRows(target.table)} where ${target.where === null ? "false" : `(${target.where}\n) is not true`}`;
  const rows = selectionSql(
    from,
    from.table.columns.map(({ name }) => name),
  );
  const column = columns[0] ?? "";
  const type = from.table.columns.find(({ name }) => name === column)?.baseType ?? "";
  const found =
    place === null
      ? `select 1 from (${rows}) s where (${columnList(columns, "s")}) in (select ${columnList(targetColumns)} from (${left}) t)`
      : `select distinct v.replant_row from (${placedValuesSql({ rows: `select n.*, row_number() over () as replant_row from (${rows}) n`, column, type, place }, ["replant_row"])}) v
         where ${idTextSql("v.value", target.table.columns.find(({ name }) => name === targetColumns[0])?.baseType)} in (select ${columnList(targetColumns)}::text from (${left}) t)`;
  const [row] = await session.query<{ rows: string }>(`select count(*)::text as rows from (${found}) f`);
  return Number(row?.rows ?? 0);
}

/** See `RowPort.largeObjects`. */
export async function countLargeObjects(session: SqlSession): Promise<number> {
  const [row] = await session.query<{ n: string }>("select count(*)::text as n from pg_largeobject_metadata");
  return Number(row?.n ?? 0);
}

/** What a server answers to a statement from which a policy would hide rows. */
export const rowsHiddenState = "42501";

/** Says what a policy would have hidden; sessions ask for an error instead of fewer rows. Other errors stay as they are. */
export async function seeingAll<Value>(tables: readonly Table[], work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw sqlState(error) === rowsHiddenState ? rowsHidden(tables, error) : error;
  }
}

function rowsHidden(tables: readonly Table[], cause: unknown): ReplantError {
  const [table] = tables;
  const what = tables.length === 1 && table !== undefined ? tableLabel(table) : "a table";
  return new ReplantError("REPLANT_ROWS_HIDDEN", `the role of the database URL may not read every row of ${what}`, {
    why: messageOf(cause),
    state: "nothing was written",
    hint: "connect as the owner of the tables, or as a role with BYPASSRLS where row-level security is forced",
    cause,
  });
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
export async function countRows(session: SqlSession, tables: readonly Table[]): Promise<TableCount[]> {
  if (tables.length === 0) return [];
  const parts = tables.map((table, index) => `select ${index} as i, count(*)::text as rows from ${ownRows(table)}`);
  const rows = await seeingAll(tables, session.query<{ i: number; rows: string }>(parts.join(" union all ")));
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
