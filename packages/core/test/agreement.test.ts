import { describe, expect, test } from "vitest";
import type { ResetPlan } from "../src/index.ts";
import { assertAgreed, hashOf, planChanges, readPlan, requestOf } from "../src/index.ts";

function sealed(plan: Omit<ResetPlan, "hash">): ResetPlan {
  return { ...plan, hash: hashOf(plan).slice(0, 16) };
}

function plan(changes: Partial<ResetPlan> = {}): ResetPlan {
  return sealed({
    version: 1,
    command: "reset",
    mode: "smart",
    tool: "replant 1",
    target: {
      engine: "server",
      database: "app",
      location: "localhost:5432",
      systemIdentifier: "7",
      liveId: "16384",
      serverVersion: "15.18",
    },
    strategy: { name: "swap", promise: "" },
    fingerprint: "f",
    baseline: "cached",
    migrations: { tool: "prisma", count: 2, new: [] },
    seeds: [{ name: "servers", set: "system" }],
    seedChoice: { sets: ["system"], only: null },
    route: { kind: "direct", why: "" },
    replay: true,
    keep: {},
    naturalKeys: {},
    acceptLoss: [],
    tables: [
      { table: "users", rung: "straight", action: "keep", rows: 5000, keptRows: 4000, quarantinedRows: 0, notes: [] },
    ],
    totals: { keptRows: 4000, replacedTables: 0, droppedTables: 0, lostRows: 0 },
    steps: [],
    warnings: [],
    ...changes,
  });
}

const [users] = plan().tables;
const withUsers = (changes: object): ResetPlan => plan({ tables: [{ ...users!, ...changes }] });

describe("a plan that was agreed to", () => {
  test.each<[string, Partial<ResetPlan>]>([
    ["what is cached", { baseline: "build", steps: ["migrate"] }],
    ["a warning", { warnings: ["a note"] }],
    ["a tenth of the rows", withUsers({ rows: 5500, keptRows: 4400 })],
  ])("holds in spite of %s", (_what, changes) => {
    expect(planChanges(plan(), plan(changes))).toEqual([]);
  });

  test.each<[string, Partial<ResetPlan>, string]>([
    ["another tool", { tool: "replant 2" }, "the version of Replant: was replant 1, is replant 2"],
    ["another server", { target: { ...plan().target, systemIdentifier: "8" } }, "the server itself: was 7, is 8"],
    [
      "a swap",
      { target: { ...plan().target, liveId: "9" } },
      "the live database, which was replaced meanwhile: was 16384, is 9",
    ],
    ["other migrations or seeds", { fingerprint: "g" }, "what migrations and seeds consist of: was f, is g"],
    [
      "a rule",
      { keep: { users: { where: null, onConflict: "kept", onMissing: {} } } },
      "the keep rules: no longer the same",
    ],
    ["more rows", withUsers({ rows: 5601 }), "users: had 5000 rows, has 5601"],
    ["fewer kept rows", withUsers({ keptRows: 3000 }), "users: had 4000 kept rows, has 3000"],
    [
      "rows that do not fit any more",
      withUsers({ quarantinedRows: 1 }),
      "users: 1 rows could not be carried, it was 0",
    ],
    ["another action", withUsers({ action: "drop" }), "users: was to keep, would drop now"],
    ["a table", { tables: [] }, "users: is not there any more"],
  ])("does not hold after %s", (_what, changes, line) => {
    expect(planChanges(plan(), plan(changes))).toEqual([line]);
    expect(() => assertAgreed(plan(), plan(changes))).toThrow("does not hold any more");
  });

  test("is read as it was written, and not when anybody has changed it", () => {
    const written = JSON.parse(JSON.stringify({ plan: plan() })) as { plan: ResetPlan };
    expect(readPlan(written)).toEqual(plan());
    expect(requestOf(readPlan(written))).toEqual({
      mode: "smart",
      seeds: { sets: ["system"], only: null },
      acceptLoss: [],
      replay: true,
    });
    for (const other of [
      { plan: { ...plan(), mode: "force" } },
      { plan: { ...plan(), version: 2 } },
      {},
      null,
      [],
      "plan",
    ]) {
      expect(() => readPlan(other)).toThrow("not a plan that can be applied");
    }
  });
});
