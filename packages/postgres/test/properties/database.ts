import type { SqlSession } from "@replant/core";
import type { Rows } from "./oracle.ts";
import type { Row, TableModel } from "./schema.ts";
import { ident, qualified } from "./schema.ts";

/** Leaves a database without anything of a case. */
export const emptySql = `discard temp; do $$ declare s text; begin
  for s in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('drop schema %I cascade', s);
  end loop; end $$; create schema public;`;

/** Rows of every table in the order of their insertion, as the server's text. */
export async function readRows(session: SqlSession, tables: readonly TableModel[]): Promise<Rows> {
  const rows = new Map<string, Row[]>();
  for (const table of tables) {
    const names = [...table.columns.map((column) => column.name), "gen"];
    const found = await session.query<{ cells: (string | null)[] }>(
      `select array[${names.map((name) => `(t.${ident(name)})::text`).join(", ")}]::text[] as cells from ${qualified(table)} t order by ctid`,
    );
    rows.set(
      table.key,
      found.map(({ cells }) => Object.fromEntries(names.map((name, i) => [name, cells[i] ?? null]))),
    );
  }
  return rows;
}

const answers = new Map<string, string | null>();

/** What a text becomes in a column of a type. Enums differ from case to case, the other answers stay true. */
export async function ask(session: SqlSession, type: string, text: string): Promise<string | null> {
  const key = `${type}\0${text}`;
  if (type.includes("mood")) return askServer(session, type, text);
  const answer = answers.has(key) ? (answers.get(key) ?? null) : await askServer(session, type, text);
  answers.set(key, answer);
  return answer;
}

/** Asked with one row in a table of that one column. */
async function askServer(session: SqlSession, type: string, text: string): Promise<string | null> {
  await session.script(`begin; create temp table asked (v ${type})`);
  try {
    await session.script(`insert into asked values (E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}')`);
    const [row] = await session.query<{ text: string }>("select v::text as text from asked");
    return row?.text ?? null;
  } catch {
    return null;
  } finally {
    await session.script("rollback");
  }
}
