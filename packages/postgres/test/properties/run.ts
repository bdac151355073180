import type { KeepRule } from "@replant/core";
import { tableLabel } from "@replant/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { carryBetween } from "../shared/harness.ts";
import type { Pair } from "../shared/pairs.ts";
import { expectCounts, expectRows, inOrder } from "./compare.ts";
import { ask, emptySql, readRows } from "./database.ts";
import type { KeptTable } from "./oracle.ts";
import { expectedOf } from "./oracle.ts";
import type { TableModel } from "./schema.ts";
import { modelOf } from "./schema.ts";
import type { CaseSpec } from "./spec.ts";
import { caseSpec } from "./spec.ts";

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

const keptTables = (spec: CaseSpec): KeptTable[] =>
  spec.kept.map(({ someOnly, onConflict, changes }, index) => ({
    key: `k${index}`,
    someOnly,
    onConflict,
    positive: changes.includes("check") ? "num" : null,
    unique: changes.includes("unique") || changes.includes("deferred-unique") ? "num" : null,
  }));

/** Carries one case and compares all of it with what the naive model says. */
export async function checkCase({ live, candidate }: Pair, spec: CaseSpec): Promise<void> {
  const model = modelOf(spec);
  for (const session of [live, candidate]) await session.script(emptySql);
  await live.script(model.live.sql);
  await candidate.script(model.fresh.sql);
  const [before, seeds] = [await readRows(live, model.live.tables), await readRows(candidate, model.fresh.tables)];
  const rules = keepRules(spec, model.live.tables);
  const { plan, outcome, findings } = await carryBetween(live, candidate, rules);
  expect(findings).toEqual([]);
  const kept = model.live.tables.filter(({ key }) => key.startsWith("k"));
  const given = { kept: inOrder(keptTables(spec), kept, plan), model, live: before, fresh: seeds };
  const expected = await expectedOf(given, (type, text) => ask(candidate, type, text));
  const after = await readRows(candidate, model.fresh.tables);
  expectCounts(kept, { plan, outcome, expected });
  expectRows(model.fresh.tables, { found: after, expected: expected.rows });
  // Nothing is lost on the way back either: live still has what it had.
  expect(await readRows(live, model.live.tables)).toEqual(before);
}

/**
 * How many cases a usual run takes per file; `REPLANT_CASES` asks for more, `REPLANT_SEED` for other ones. Two files on a server make
 * 700 that go by name, and 300 more go through migrations and through rules: see `usualEvolutions`. A tenth of both is embedded.
 */
export const usualRuns = Number(process.env["REPLANT_CASES"] ?? 350);

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
