import type { CarryTable, SqlSession, ValueRule } from "@replant/core";
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
  const types = table.sourceColumns.map(
    (name) => table.source.columns.find((column) => column.name === name)?.type ?? "text",
  );
  const known = await knownTypes(session, types);
  const columns = table.sourceColumns.map(
    (name, i) => `s.c${i}${known.has(types[i] ?? "") ? `::${types[i]}` : ""} as ${quoteIdent(name)}`,
  );
  return `(select ${columns.join(", ")}) as old_row`;
}

/** Type names come from a backup: only those that this server's parser takes for a type of its own reach its SQL. */
async function knownTypes(session: SqlSession, names: readonly string[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const name of new Set(names)) {
    const [row] = await session.query<{ known: boolean }>(
      `select exists (select from pg_type t where format_type(t.oid, null) = regexp_replace($1, '\\([0-9, -]*\\)', '')) as known`,
      [name],
    );
    if (row?.known === true && /^[\w ."[\](),]+$/.test(name)) known.add(name);
  }
  return known;
}
