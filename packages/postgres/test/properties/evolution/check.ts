import type { ColumnRule, KeepRule, SqlSession } from "@replant/core";
import { tableLabel } from "@replant/core";
import { expect } from "vitest";
import { rowPort } from "../../../src/shared/rows.ts";
import { carryBetween } from "../../shared/harness.ts";
import { replayBetween, type Replayed } from "../../shared/replay-harness.ts";
import { expectCounts, expectRows, inOrder } from "../compare.ts";
import { ask, emptySql, readRows } from "../database.ts";
import type { Case, Rows } from "../oracle.ts";
import { expectedOf } from "../oracle.ts";
import type { Row, TableModel } from "../schema.ts";
import { modelOf, type CaseModel } from "../schema.ts";
import { evolve } from "./evolve.ts";
import type { Evolution, EvolvingRow, EvolvingTable } from "./evolving.ts";
import type { EvolutionSpec } from "./spec.ts";

/** Databases of one engine: live, the one in which migrations run over its rows, and the new one. */
export interface Trio {
  readonly live: SqlSession;
  readonly scratch: SqlSession;
  readonly candidate: SqlSession;
}

/** What a case went through, for the counts of a run. */
export interface Checked {
  /** False: the migrations stop at the rows, as the model says. */
  readonly replayed: boolean;
  /** False: no keep rule says what the migrations do. */
  readonly mapped: boolean;
}

/** A tool with a fault: what the check must not let through. */
export interface Fault {
  /** Runs in the new database before rows come. */
  readonly candidateSql?: (tables: readonly TableModel[]) => string;
  readonly rules?: (rules: Readonly<Record<string, KeepRule>>) => Readonly<Record<string, KeepRule>>;
}

interface Setting extends Trio {
  readonly model: CaseModel;
  readonly before: Rows;
  readonly evolution: Evolution;
  readonly fault: Fault;
}

/** Carries a case over both rungs that migrations leave open, and compares each with the naive model and with the other. */
export async function checkEvolution(trio: Trio, spec: EvolutionSpec, fault: Fault = {}): Promise<Checked> {
  const { live, scratch, candidate } = trio;
  const model = modelOf(spec.base);
  for (const session of [live, scratch, candidate]) await session.script(emptySql);
  await live.script(model.live.sql);
  await scratch.script(model.live.schemaSql);
  const before = await readRows(live, model.live.tables);
  const evolution = await evolve(spec, {
    tables: model.live.tables,
    live: before,
    ask: (type, text) => ask(live, type, text),
  });
  const setting = { ...trio, model, before, evolution, fault };
  const replayed = await checkReplay(setting);
  const mapped = evolution.ruled ? await checkMap(setting) : null;
  if (replayed !== null && mapped !== null) expectRows(modelsOf(evolution), { found: mapped, expected: replayed });
  expect(await readRows(live, model.live.tables)).toEqual(before);
  return { replayed: replayed !== null, mapped: mapped !== null };
}

const modelsOf = ({ seededTables, tables }: Evolution): TableModel[] => [
  ...seededTables,
  ...tables.map((table) => table.model),
];

/** The new database: the first schema with today's seeds, and every migration. */
async function prepareCandidate({ candidate, model, evolution, fault }: Setting): Promise<Rows> {
  await candidate.script(model.fresh.sql);
  for (const { seeded } of evolution.migrations) await candidate.script(seeded);
  const fresh = await readRows(candidate, modelsOf(evolution));
  await candidate.script(fault.candidateSql?.(modelsOf(evolution)) ?? "select");
  return fresh;
}

function keepRules({ evolution, fault }: Setting): Readonly<Record<string, KeepRule>> {
  const rules = [...evolution.tables, ...evolution.gone.map(({ table }) => table)].map((table) => {
    const { model, kept, oldLabel, known } = table;
    const label = tableLabel(model);
    const rule: KeepRule = {
      where: kept.someOnly ? "keep" : null,
      onConflict: kept.onConflict,
      onMissing: Object.fromEntries(model.refs.map((ref) => [ref.name, ref.onMissing])),
      columns: columnRules(table),
      ...(known && oldLabel !== label ? { renamedFrom: oldLabel } : {}),
    };
    return [label, rule] as const;
  });
  return (fault.rules ?? ((given) => given))(Object.fromEntries(rules));
}

function columnRules({ rules, origins }: EvolvingTable): Record<string, ColumnRule> {
  const renamed = [...origins].flatMap(([name, old]) => (name === old ? [] : [[name, { rename: old }] as const]));
  const columns: Record<string, ColumnRule> = Object.fromEntries(renamed);
  for (const [name, rule] of rules) columns[name] = { ...columns[name], ...rule };
  return columns;
}

const isKept = ({ kept }: EvolvingTable, { own, values }: EvolvingRow): boolean =>
  !own && (!kept.someOnly || values["keep"] === "true");

const keptRows = (table: EvolvingTable): EvolvingRow[] => table.rows.filter((row) => isKept(table, row));

/** The naive model's view of a carry from what the migrations made; `old` are the tables as the rows have them. */
function caseOf(
  { evolution, before }: Setting,
  fresh: Rows,
  { tables, old }: { tables: readonly EvolvingTable[]; old: readonly TableModel[] },
): Case {
  const live = new Map<string, readonly Row[]>(before);
  const refused = new Set<Row>();
  for (const table of tables) {
    const rows = table.rows.filter(({ own }) => !own);
    for (const row of rows) if (row.refused.size > 0) refused.add(row.values);
    live.set(
      table.model.key,
      rows.map(({ values }) => values),
    );
  }
  const model = { live: { tables: old }, fresh: { tables: modelsOf(evolution) } };
  return { kept: tables.map(({ kept }) => kept), model, live, fresh, refused };
}

/** Migrations run over the rows; null where they stop at them, as the model has said. */
async function checkReplay(setting: Setting): Promise<Rows | null> {
  const { candidate, evolution } = setting;
  const { migrations, failure } = evolution;
  const fresh = await prepareCandidate(setting);
  let done = 0;
  const migrate = async (session: SqlSession): Promise<void> => {
    for (const { sql } of migrations) {
      await session.script(sql);
      done += 1;
    }
  };
  const replay = replayBetween({ ...setting, migrate }, keepRules(setting));
  if (failure !== null) {
    const error: unknown = await replay.catch((refused: unknown) => refused);
    expect({ done, states: failure.states, error }).toEqual({ done: failure.at, states: expect.arrayContaining([stateOf(error)]), error }); // prettier-ignore
    const named = (await rowPort.offenders(setting.scratch, error)).toSorted();
    expect(named).toEqual(failure.offenders.toSorted());
    return null;
  }
  const { backup, harvest, carried } = await replay;
  expect(carried.findings).toEqual([]);
  const made = withoutLikes(evolution.tables, fresh);
  expectHarvest(setting, { backup, harvest }, made);
  const named = evolution.tables.map(({ model }) => model);
  const given = caseOf(setting, fresh, { tables: made, old: modelsOf(evolution) });
  const expected = await expectedOf({ ...given, kept: inOrder(given.kept, named, carried.plan) }, (type, text) =>
    ask(candidate, type, text),
  );
  expectCounts(named, { ...carried, expected });
  const found = await readRows(candidate, modelsOf(evolution));
  expectRows(modelsOf(evolution), { found, expected: expected.rows });
  return found;
}

const stateOf = (error: unknown): unknown => (typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined); // prettier-ignore

/** Rows that migrations made and that the new database has already, in every value: they are its own. */
function withoutLikes(tables: readonly EvolvingTable[], fresh: Rows): EvolvingTable[] {
  return tables.map((table) => {
    const { model, known, rows } = table;
    if (known) return table;
    const text = (values: Row): string => JSON.stringify(model.columns.map(({ name }) => values[name]));
    const likes = new Set((fresh.get(model.key) ?? []).map(text));
    return { ...table, rows: rows.map((row) => (likes.has(text(row.values)) ? { ...row, own: true } : row)) };
  });
}

/** Rows in the backup = rows that survived + rows that migrations deleted; and what else they made. */
function expectHarvest(
  { evolution, before, model }: Setting,
  { backup, harvest }: Pick<Replayed, "backup" | "harvest">,
  made: readonly EvolvingTable[],
): void {
  const written = new Map(
    backup.entries.filter(({ role }) => role === "kept").map(({ table, rows }) => [tableLabel(table), rows]),
  );
  const inBackup = ({ kept, model: { key } }: EvolvingTable): number =>
    (before.get(key) ?? []).filter((row) => !kept.someOnly || row["keep"] === "true").length;
  for (const table of made) {
    const label = tableLabel(table.model);
    const found = harvest.tables.find((item) => tableLabel(item.table) === label);
    const going = keptRows(table).length;
    const own = table.rows.filter((row) => row.own).length;
    const { loaded, survived, removed, added } = found ?? {};
    const loadedRows = table.known ? inBackup(table) : 0;
    expect({
      label,
      written: table.known ? written.get(table.oldLabel) : 0,
      loaded,
      survived,
      removed,
      added,
      own: found?.own,
    }).toEqual({
      label,
      written: loadedRows,
      loaded: loadedRows,
      survived: table.known ? going : 0,
      removed: evolution.removed.get(table.model.key) ?? 0,
      added: table.known ? 0 : going,
      own,
    });
    expect(loadedRows).toBe(table.known ? going + (evolution.removed.get(table.model.key) ?? 0) : 0);
  }
  const gone = evolution.gone.map(({ table }) => [table.oldLabel, inBackup(table)]);
  expect(harvest.gone.map(({ table, rows }) => [tableLabel(table), rows]).toSorted(byText)).toEqual(
    gone.toSorted(byText),
  );
  expect(harvest.unkept).toEqual([]);
  expect(model.live.tables.length).toBe(evolution.seededTables.length + evolution.tables.filter(({ known }) => known).length + gone.length); // prettier-ignore
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** Columns go by the rules that say what the migrations do. */
async function checkMap(setting: Setting): Promise<Rows> {
  const { live, candidate, evolution } = setting;
  await candidate.script(emptySql);
  const fresh = await prepareCandidate(setting);
  const { plan, outcome, findings } = await carryBetween(live, candidate, keepRules(setting));
  expect(findings).toEqual([]);
  const tables = [...evolution.tables, ...evolution.gone.map(({ table }) => table)];
  const named = tables.map(({ model, oldLabel }) => ({ ...model, from: oldLabel }));
  const old = [
    ...evolution.seededTables,
    ...tables.map(({ model, bare }) => ({ ...model, columns: model.columns.filter(({ name }) => !bare.has(name)) })),
  ];
  const given = caseOf(setting, fresh, { tables, old });
  const expected = await expectedOf({ ...given, kept: inOrder(given.kept, named, plan) }, (type, text) =>
    ask(candidate, type, text),
  );
  expectCounts(named, { plan, outcome, expected });
  const found = await readRows(candidate, modelsOf(evolution));
  expectRows(modelsOf(evolution), { found, expected: expected.rows });
  return found;
}
