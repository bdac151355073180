import type { KeepRule } from "@replant/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { serverSessions } from "../shared/sessions.ts";
import { checkEvolution, type Fault } from "./evolution/check.ts";
import { evolutionSpec } from "./evolution/spec.ts";
import { openTrio } from "./evolution/trio.ts";
import { qualified } from "./schema.ts";

type Rules = Readonly<Record<string, KeepRule>>;

const eachRule = (rules: Rules, change: (rule: KeepRule) => KeepRule): Rules =>
  Object.fromEntries(Object.entries(rules).map(([label, rule]) => [label, change(rule)]));

const faults: readonly [string, Fault][] = [
  [
    "an insert that writes nothing",
    {
      candidateSql: (tables) =>
        tables
          .filter(({ key }) => key.startsWith("k"))
          .map(
            (table) =>
              `create rule swallowed as on insert to ${qualified(table)} where new.num = 7 do instead nothing;`,
          )
          .join("\n"),
    },
  ],
  ["columns without their rules", { rules: (rules) => eachRule(rules, ({ columns: _columns, ...rule }) => rule) }],
  ["every row kept", { rules: (rules) => eachRule(rules, (rule) => ({ ...rule, where: null })) }],
  ["the wrong side wins", { rules: (rules) => eachRule(rules, (rule) => ({ ...rule, onConflict: rule.onConflict === "seed" ? "kept" : "seed" })) }], // prettier-ignore
  ["a forgotten name", { rules: (rules) => eachRule(rules, ({ renamedFrom: _renamedFrom, ...rule }) => rule) }],
];

test.each(faults)("the check sees %s", { timeout: 600_000 }, async (_name, fault) => {
  const trio = await openTrio(serverSessions(15));
  const property = fc.asyncProperty(evolutionSpec, async (spec) => {
    await checkEvolution(trio, spec, fault);
  });
  const { failed, errorInstance } = await fc.check(property, { numRuns: 100, seed: 1, endOnFailure: true });
  expect(failed).toBe(true);
  expect(errorInstance).toMatchObject({ name: "AssertionError" });
});
