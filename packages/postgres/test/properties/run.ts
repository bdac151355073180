import type { KeepRule, SqlSession } from "@replant/core";
import { tableLabel } from "@replant/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { carryBetween } from "../shared/harness.ts";
import type { Pair } from "../shared/pairs.ts";
import type { Rows } from "./oracle.ts";
import { expectedOf } from "./oracle.ts";
import type { Row, TableModel } from "./schema.ts";
import { ident, modelOf, qualified } from "./schema.ts";
import type { CaseSpec } from "./spec.ts";
import { caseSpec } from "./spec.ts";

const emptySql = `discard temp; do $$ declare s text; begin
  for s in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('drop schema %I cascade', s);
  end loop; end $$; create schema public;`;

/** Rows of every table in the order of their insertion, as the server's text. */
async function readRows(session: SqlSession, tables: readonly TableModel[]): Promise<Rows> {
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
async function ask(session: SqlSession, type: string, text: string): Promise<string | null> {
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

function keepRules(spec: CaseSpec, tables: readonly TableModel[]): Record<string, KeepRule> {
  return Object.fromEntries(
    spec.kept.flatMap(({ someOnly, onConflict }, index) => {
      const table = tables.find(({ key }) => key === `k${index}`);
      if (table === undefined) return [];
      const onMissing = Object.fromEntries(table.refs.map((ref) => [ref.name, ref.onMissing]));
      return [[tableLabel(table), { where: someOnly ? "keep" : null, onConflict, onMissing }]];
    }),
  );
}

const sorted = (rows: readonly Row[] | undefined, table: TableModel): string[] =>
  (rows ?? []).map((row) => JSON.stringify(table.columns.map(({ name }) => [name, row[name] ?? null]))).toSorted();

/** Carries one case and compares all of it with what the naive model says. */
export async function checkCase({ live, candidate }: Pair, spec: CaseSpec): Promise<void> {
  const model = modelOf(spec);
  for (const session of [live, candidate]) await session.script(emptySql);
  await live.script(model.live.sql);
  await candidate.script(model.fresh.sql);
  const [before, seeds] = [await readRows(live, model.live.tables), await readRows(candidate, model.fresh.tables)];
  const expected = await expectedOf({ spec, model, live: before, fresh: seeds }, (type, text) =>
    ask(candidate, type, text),
  );
  const rules = keepRules(spec, model.live.tables);
  const { plan, outcome, findings } = await carryBetween(live, candidate, rules);
  expect(findings).toEqual([]);
  const after = await readRows(candidate, model.fresh.tables);
  for (const table of model.live.tables.filter(({ key }) => key.startsWith("k"))) {
    const label = tableLabel(table);
    const lost = plan.impossible.find((item) => tableLabel(item.table) === label)?.rows ?? 0;
    expect([label, lost]).toEqual([label, expected.impossible.get(table.key) ?? 0]);
    const found = outcome.tables.find((item) => tableLabel(item.table) === label);
    const { carried, dropped, quarantined } = found ?? {};
    const counts = expected.counts.get(table.key);
    const reasons = outcome.quarantined.filter((item) => tableLabel(item.table) === label);
    expect({ label, carried, dropped, quarantined, reasons }).toEqual({
      label,
      ...undefinedCounts,
      ...counts,
      reasons,
    });
  }
  for (const table of model.fresh.tables) {
    const label = tableLabel(table);
    expect([label, ...sorted(after.get(table.key), table)]).toEqual([
      label,
      ...sorted(expected.rows.get(table.key), table),
    ]);
  }
  // Nothing is lost on the way back either: live still has what it had.
  expect(await readRows(live, model.live.tables)).toEqual(before);
}

const undefinedCounts = { carried: undefined, dropped: undefined, quarantined: undefined };

/** How many cases a usual run takes per file; `REPLANT_CASES` asks for more, `REPLANT_SEED` for other ones. */
export const usualRuns = Number(process.env["REPLANT_CASES"] ?? 500);

/** Runs generated cases and returns how many held; fast-check prints the seed and the smallest case that fails. */
export async function checkCases(pair: Pair, { numRuns, seed }: { numRuns: number; seed: number }): Promise<number> {
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(caseSpec, async (spec) => {
      await checkCase(pair, spec);
      checked += 1;
    }),
    { numRuns, seed: Number(process.env["REPLANT_SEED"] ?? seed) },
  );
  return checked;
}
