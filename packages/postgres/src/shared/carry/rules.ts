import type { CarryTable, Column, SqlSession, ValueRule } from "@replant/core";
import { quoteIdent, quoteLiteral } from "../quote.ts";

/**
 * SQL for the values that rules make, by the index of the plan's column; over the staged text of a row, `s`. The project's own SQL
 * sees the backup's columns by their old names, each in its old type where this database has that type, and nothing else of the row.
 */
export async function ruledValues(session: SqlSession, table: CarryTable): Promise<ReadonlyMap<number, string>> {
  const ruled = table.columns.flatMap((column, index) =>
    column === null || column.rule === null ? [] : [{ index, rule: column.rule, hasSource: column.source !== null }],
  );
  if (ruled.length === 0) return new Map();
  const scope = await oldRowSql(session, table);
  return new Map(
    ruled.map(({ index, rule, hasSource }) => [
      index,
      valueSql(rule, { own: hasSource ? `s.c${index}` : null, scope }),
    ]),
  );
}

function valueSql(rule: ValueRule, { own, scope }: { own: string | null; scope: string }): string {
  const evaluated = (sql: string): string => `(select (${sql}\n)::text from ${scope})`;
  const base = rule.convert === undefined ? own : evaluated(rule.convert);
  const mapped = base === null || rule.map === undefined ? base : mapSql(base, rule.map);
  if (rule.fill === undefined) return mapped ?? "null";
  return mapped === null ? evaluated(rule.fill) : `coalesce(${mapped}, ${evaluated(rule.fill)})`;
}

function mapSql(value: string, map: Readonly<Record<string, string | null>>): string {
  const cases = Object.entries(map).map(
    ([from, to]) => `when ${quoteLiteral(from)} then ${to === null ? "null" : quoteLiteral(to)}`,
  );
  return cases.length === 0 ? value : `case ${value} ${cases.join(" ")} else ${value} end`;
}

/** One row with the backup's columns. */
async function oldRowSql(session: SqlSession, table: CarryTable): Promise<string> {
  const sources = table.sourceColumns.map((name) => table.source.columns.find((column) => column.name === name));
  const columns: string[] = [];
  for (const [i, name] of table.sourceColumns.entries()) {
    const cast = (await isKnown(session, sources[i])) ? `::${sources[i]?.type ?? "text"}` : "";
    columns.push(`s.c${i}${cast} as ${quoteIdent(name)}`);
  }
  return `(select ${columns.join(", ")}) as old_row`;
}

/**
 * Type names come from a backup: only those that this server's parser takes for a type of its own reach its SQL, and enums only
 * while they have every label of the backup's.
 */
async function isKnown(session: SqlSession, column: Column | undefined): Promise<boolean> {
  const { type = "text", enumLabels = null } = column ?? {};
  if (!/^[\w ."[\](),]+$/.test(type)) return false;
  const [row] = await session.query<{ known: boolean }>(
    `select exists (select from pg_type t where format_type(t.oid, null) = regexp_replace($1, '\\([0-9, -]*\\)', '')
       and not exists (select from jsonb_array_elements_text($2::text::jsonb) l where not exists (select from pg_enum e
         where e.enumtypid = case when t.typcategory = 'A' then t.typelem else t.oid end and e.enumlabel = l))) as known`,
    [type, JSON.stringify(enumLabels ?? [])],
  );
  return row?.known === true;
}
