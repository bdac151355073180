import { expect, test } from "vitest";
import { backupRules, planBackup, planCarry, restoreRules } from "../src/index.ts";
import type { KeepRules } from "../src/index.ts";
import { catalog, entriesOf, omni } from "./catalog-builder.ts";

const live = catalog(omni.organizations, omni.servers, omni.prompts);
const own: KeepRules = {
  organizations: { where: "clerk_id like 'org_%'", onConflict: "error", onMissing: { slug: "null" } },
};

test("without a scope the project's rules stand as they are", () => {
  expect(backupRules(live, own, { kind: "keep" })).toBe(own);
});

test("a whole database keeps every row of every table, and needs no context", () => {
  const keep = backupRules(live, own, { kind: "all" });
  const whole = { where: null, onConflict: "kept", onMissing: {} };
  expect(keep).toEqual({
    organizations: { where: null, onConflict: "error", onMissing: { slug: "null" } },
    mcp_servers: whole,
    default_prompts: whole,
  });
  expect(planBackup(live, keep).map(({ role }) => role)).toEqual(["kept", "kept", "kept"]);
});

test("chosen tables bring the rows that they refer to as context", () => {
  const keep = backupRules(live, own, { kind: "tables", tables: ["public.default_prompts"] });
  expect(Object.keys(keep)).toEqual(["default_prompts"]);
  expect(planBackup(live, keep).map(({ role, table }) => [role, table.name])).toEqual([
    ["kept", "default_prompts"],
    ["context", "mcp_servers"],
  ]);
  expect(() => backupRules(live, own, { kind: "tables", tables: ["prompts"] })).toThrow('there is no table "prompts"');
});

test("a restore takes recorded rules only for tables of which the project says nothing, as far as they still fit", () => {
  const recorded: KeepRules = {
    organizations: { where: "recorded", onConflict: "seed", onMissing: {} },
    default_prompts: { where: "recorded", onConflict: "seed", onMissing: { mcp_server_id: "drop-row", gone: "null" } },
    not_in_the_backup: { where: null, onConflict: "error", onMissing: {} },
  };
  const entries = entriesOf(live, backupRules(live, own, { kind: "all" }));
  const mine: KeepRules = { "public.organizations": { where: null, onConflict: "error", onMissing: {} } };
  const rules = restoreRules(entries, live, { own: mine, recorded });
  expect(rules).toEqual({
    ...mine,
    default_prompts: { where: null, onConflict: "seed", onMissing: { mcp_server_id: "drop-row" } },
  });
  const onConflict = Object.fromEntries(
    planCarry(entries, live, rules).tables.map((table) => [table.table.name, table.onConflict]),
  );
  expect(onConflict).toEqual({ organizations: "error", mcp_servers: "kept", default_prompts: "seed" });
});
