import type { ResetPlan, StatusReport, SwapReport, TablePlan } from "@replant/core";
import { describe, expect, test } from "vitest";
import { backupsLines, migrationLines, seedListLines, statusLines } from "../src/render/listings.ts";
import { planLines } from "../src/render/plan.ts";
import { backupLines, chainLine, swapLines, undoLines } from "../src/render/reports.ts";
import { styleOf } from "../src/render/style.ts";
import { hasEscapes } from "./screen.ts";

const style = styleOf({ rich: true, colour: false, columns: 80 });
const plain = styleOf({ rich: false, colour: false, columns: 80 });
const narrow = styleOf({ rich: true, colour: false, columns: 40 });
const table = (name: string): { schema: string; name: string } => ({ schema: "public", name });
const run = "20261120T094102123Z-a81f";

const swap: SwapReport = {
  run,
  live: "app_dev",
  planHash: "43bf9a5d96ef9ba6",
  previous: "app_dev__prev_a81f00",
  backup: { id: "2026-11-20T09-41-02-123Z-a81f", location: "backups/2026-11-20T09-41-02-123Z-a81f" },
  carried: {
    tables: [
      {
        table: table("users"),
        inBackup: 38,
        carried: 38,
        replacedSeeded: 2,
        merged: ["id=1", "id=2"],
        dropped: 0,
        quarantined: 0,
      },
      {
        table: { schema: "billing", name: "invoices" },
        inBackup: 1204,
        carried: 1203,
        replacedSeeded: 0,
        merged: [],
        dropped: 1,
        quarantined: 0,
      },
    ],
    repointed: [
      {
        table: table("organization_services"),
        constraint: "organization_services_mcp_server_id_fkey",
        rows: 22,
        mappings: [{ from: "1", to: "2", key: "server_key=github" }],
      },
    ],
    missing: [
      { table: table("notes"), constraint: "rule:subject_id", rule: "null", rows: 1, listed: ["id=1"] },
      { table: table("notes"), constraint: "notes_author_fkey", rule: "drop-row", rows: 2, listed: ["id=2", "id=3"] },
      { table: table("notes"), constraint: "notes_plan_fkey", rule: "seed", rows: 3, listed: [] },
    ],
    quarantined: [],
  },
  route: { kind: "direct", why: "the backup has today's migrations" },
  ways: [],
  acceptedLoss: [],
  excluded: [],
  retried: null,
  followUps: [],
  endedSessions: 3,
  seeds: [],
  durationMs: 440,
  warnings: [],
};
const next = { undo: "pnpm db:undo", serve: null };

describe("a swap", () => {
  test("rows per table as they were read back, what was re-pointed, previous, backup, time, undo", () => {
    expect(swapLines(swap, { style, next })).toEqual([
      "  kept     users 38, billing.invoices 1,203",
      "  left out 1 row of billing.invoices, by rule",
      "  merged   2 rows of users in place of seeded ones",
      "  re-point 22 rows of organization_services (organization_services_mcp_server_id_fkey)",
      "  missing  1 row of notes emptied (rule:subject_id)",
      "  missing  2 rows of notes left out (notes_author_fkey)",
      "  missing  3 rows of notes pointed at a seeded row (notes_plan_fkey)",
      "  backup   backups/2026-11-20T09-41-02-123Z-a81f",
      "  previous app_dev__prev_a81f00",
      "Done in 0.44s.   undo: pnpm db:undo",
    ]);
  });

  test("off a terminal the end is one line for a machine", () => {
    expect(swapLines(swap, { style: plain, next }).at(-1)).toBe(
      `replant result=ok total=0.44s run=${run} undo="pnpm db:undo"`,
    );
  });

  test("the first one has nothing to undo, and says how the embedded database is reached", () => {
    const first = { ...swap, previous: null, backup: null, carried: null };
    expect(swapLines(first, { style, next: { undo: "x", serve: "pnpm replant serve" } })).toEqual([
      "Ready in 0.44s",
      "  keep it reachable for your app: pnpm replant serve",
    ]);
  });

  test("what migrations made of the rows, and what went by name, is said", () => {
    const way = {
      from: null,
      why: "2 migrations are newer than the backup",
      droppedColumns: [],
      defaultedColumns: [],
      ruledColumns: [],
      suggestions: [],
    };
    const migrated = { loaded: 38, survived: 38, removed: 0, removedRows: [], added: 0, own: 0 };
    const replayed: SwapReport = {
      ...swap,
      route: { kind: "replay", level: 3, pending: ["4_a", "5_b"], why: "2 migrations are newer than the backup" },
      ways: [
        { ...way, table: "users", rung: "replay", migrated },
        { ...way, table: "profiles", rung: "replay", migrated: { ...migrated, loaded: 0, survived: 0, added: 7 } },
        { ...way, table: "plans", rung: "map", why: "columns go by name and by rule", migrated: null },
      ],
    };
    const lines = swapLines(replayed, { style, next });
    expect(lines).toContain("  migrated 38 kept rows, by 2 pending migrations");
    expect(lines).toContain("           7 rows of profiles made of others");
    expect(lines).toContain("  by name  plans: columns go by name and by rule");
  });

  test("a loss that was accepted is said", () => {
    const lossy = {
      ...swap,
      acceptedLoss: [{ table: "audit_notes", rows: 9, reason: "the new schema has no such table" }],
    };
    const text = swapLines(lossy, { style, next }).join("\n");
    expect(text).toContain("lost     9 rows of audit_notes: the new schema has no such table");
    expect(text).toContain("the rows are in the backup");
  });
});

function tablePlan(name: string, more: Partial<TablePlan>): TablePlan {
  return { table: name, rung: null, action: "keep", rows: 0, keptRows: 0, quarantinedRows: 0, notes: [], ...more };
}

const plan: ResetPlan = {
  version: 1,
  command: "reset",
  mode: "smart",
  tool: "replant 0.1.0",
  naturalKeys: {},
  target: {
    engine: "server",
    database: "app_dev",
    location: "localhost:5432",
    systemIdentifier: "7301",
    liveId: "16384",
    serverVersion: "15.18",
  },
  strategy: { name: "swap", promise: "a new database beside the live one" },
  fingerprint: "9f3c1a2b",
  baseline: "cached",
  migrations: { tool: "prisma", count: 42, new: ["20261119_add_plan"] },
  seeds: [
    { name: "servers", set: "system" },
    { name: "demo", set: "mock" },
  ],
  seedChoice: { sets: null, only: null },
  route: { kind: "direct", why: "the backup has today's migrations" },
  replay: true,
  keep: {},
  acceptLoss: [],
  tables: [
    tablePlan("users", {
      rows: 39,
      keptRows: 38,
      notes: ["where deleted_at is null", "column locale is new and takes 'en'"],
    }),
    tablePlan("organizations", { rows: 6, keptRows: 6 }),
    tablePlan("mcp_servers", { action: "replace", rows: 6 }),
    tablePlan("sessions", { action: "replace", rows: 18_214 }),
    tablePlan("legacy_audit", { action: "drop", rows: 4410 }),
    tablePlan("audit_notes", {
      action: "drop",
      rows: 9,
      keptRows: 9,
      quarantinedRows: 9,
      notes: ["where true", "no such table any more"],
    }),
  ],
  totals: { keptRows: 44, replacedTables: 4, droppedTables: 2, lostRows: 9 },
  steps: [],
  warnings: ["the encoding differs"],
  hash: "43bf9a5d96ef9ba6",
};

describe("a plan", () => {
  test("keep, replace, drop and quarantine per table", () => {
    expect(planLines(plan, { style, run: "pnpm db:reset" })).toMatchInlineSnapshot(`
      [
        "plan   nothing will be changed",
        "  =   keep       users          38 of 39    where deleted_at is null",
        "                     column locale is new and takes 'en'",
        "                 organizations  6",
        "  -/+ replace    2 tables, 18,220 rows     seeds: system, mock",
        "                 mcp_servers 6, sessions 18,214",
        "  -   drop       legacy_audit  4,410 rows    not in the new schema",
        "                 audit_notes  9 rows    not in the new schema",
        "  !   quarantine audit_notes  9 rows    no such table any more    change the rule, or accept the loss",
        "  ! the encoding differs",
        "Plan: 44 rows kept, 2 tables replaced, 2 dropped, 9 rows lost.   baseline: cached   a new database beside the live one",
        "  new migration 20261119_add_plan",
        "Run it: pnpm db:reset     plan 43bf9a5d96ef9ba6",
      ]
    `);
  });

  test("without a live database everything is new", () => {
    const text = planLines(
      { ...plan, target: { ...plan.target, liveId: null }, tables: [], warnings: [] },
      { style, run: "x" },
    ).join("\n");
    expect(text).toContain("everything is new: 42 migrations, 2 seeds");
  });

  test("many new migrations are counted", () => {
    const names = Array.from({ length: 8 }, (_, n) => `m${n}`);
    const lines = planLines({ ...plan, migrations: { ...plan.migrations, new: names } }, { style, run: "x" });
    expect(lines.filter((line) => line.includes("new migration "))).toHaveLength(5);
    expect(lines).toContain("  and 3 more new migrations");
  });
});

test("a backup says its rows, its place and its size", () => {
  const report = {
    run,
    backup: "b",
    location: "backups/b",
    tables: [
      { table: "users", role: "kept", rows: 38 },
      { table: "mcp_servers", role: "context", rows: 6 },
    ],
    keptRows: 38,
    storedBytes: 5760,
  } as const;
  expect(backupLines(report, style)).toEqual(["  rows     users 38", "  backup   backups/b  5.8 kB", "Done."]);
});

test("undo says on which side rows are", () => {
  const report = {
    run,
    live: "app_dev",
    previous: "app_dev__prev_2",
    replacedAt: "2026-11-20T09:41:02.123Z",
    differences: [{ table: table("users"), onlyLive: 2, onlyOther: 1, changed: 3 }],
    followUps: [],
  };
  expect(undoLines(report, { style, redo: "pnpm db:undo" })).toEqual([
    "  what was live until now, against what is live again:",
    "    users: 2 rows only before the undo, 1 only after it, 3 changed",
    "  live     app_dev, as it was before 2026-11-20T09:41:02.123Z",
    "  previous app_dev__prev_2",
    "Done.   take it back: pnpm db:undo",
  ]);
});

test("a task of a chain names the next", () => {
  expect(chainLine(run, { style, next: "pnpm replant seed --chain" })).toContain("live was not changed");
  expect(chainLine(run, { style: plain, next: "x y" })).toBe(`replant result=ok run=${run} live=unchanged next="x y"`);
});

test("backups are listed with what is wrong with them", () => {
  const summary = {
    id: "2026-11-20T09-41-02-123Z-a81f",
    sequence: 7,
    createdAt: "2026-11-20T09:41:02.123Z",
    tables: 5,
    keptRows: 134,
    storedBytes: 9000,
    database: "app_dev",
    lastMigration: "20261119_add_plan",
    label: null,
    latest: true,
    verifiedAt: "2026-11-20T09:41:02.123Z",
    damage: null,
  };
  const lines = backupsLines(
    [summary, { ...summary, id: "older", label: "before-import", latest: false, damage: "t0001 is cut short" }],
    {
      style,
      location: "backups",
      nowMs: Date.parse("2026-11-20T10:41:02.123Z"),
    },
  );
  expect(lines).toEqual([
    "  latest 2026-11-20T09-41-02-123Z-a81f  134 rows, 5 tables, 9.0 kB  1 hour ago, verified 1 hour ago  of app_dev, at 20261119_add_plan",
    "         older (before-import)  damaged: t0001 is cut short",
    "  in backups",
  ]);
  expect(backupsLines([], { style, location: "backups", nowMs: 0 })).toEqual(["  no backups in backups"]);
});

const status: StatusReport = {
  target: {
    engine: "server",
    database: "app_dev",
    live: { name: "app_dev", id: "16384" },
    location: "localhost:5432",
    local: true,
    systemIdentifier: "7301",
    serverVersion: "15.18",
    serverMajor: 15,
    encoding: "UTF8",
    collation: "C",
    extensions: [],
    sizeBytes: 8_700_000,
    sessions: [{ pid: 7, application: "psql", user: "me", state: "idle", ageMs: 1 }],
    swapBlockers: ["you may not create databases"],
    environment: null,
  },
  managed: [
    {
      name: "replant_baseline_9f3c1a2b",
      id: "1",
      role: "baseline",
      live: "app_dev",
      run,
      fingerprint: "9f3c1a2b00",
      createdAt: "2026-11-20T09:41:02Z",
      sizeBytes: 8_700_000,
    },
  ],
  lastRun: {
    run,
    records: [
      { type: "begin", at: "2026-11-20T09:41:02Z", command: "reset", live: "app_dev", liveId: "1", planHash: null },
    ],
  },
  unfinished: "run x has not ended",
  backups: [],
  migrations: { applied: ["a"], pending: ["b"], problems: ["edited: a"] },
};

test("status shows live, what Replant made, the last run and what is not finished", () => {
  expect(statusLines(status, { style, nowMs: Date.parse("2026-11-20T09:43:02Z") })).toEqual([
    "  live     app_dev  8.7 MB, Postgres 15.18, 1 connection of others",
    "  baseline replant_baseline_9f3c1a2b  9f3c1a2b  8.7 MB, 2 minutes ago",
    "  backups  none",
    "  applied  1",
    "  pending  b",
    "  problem  edited: a",
    `  last run reset: not ended, 2 minutes ago  ${run}`,
    "  ! run x has not ended",
    "  ! no atomic swap here: you may not create databases",
  ]);
  const fresh = {
    ...status,
    target: { ...status.target, live: null },
    lastRun: null,
    unfinished: null,
    migrations: null,
  };
  expect(statusLines(fresh, { style, nowMs: 0 }).slice(0, 1)).toEqual(["  live     does not exist yet"]);
});

test("seeds are listed with their set, order and place", () => {
  expect(
    seedListLines([
      {
        name: "prompts",
        set: "system",
        dependsOn: ["servers"],
        description: "Default prompts",
        where: "seeds/prompts.ts:3",
      },
    ]),
  ).toEqual(["  prompts (system)  Default prompts  after servers  seeds/prompts.ts:3"]);
  expect(seedListLines([])).toEqual(["  no seeds"]);
  expect(migrationLines({ applied: [], pending: [], problems: [] }, style)).toEqual([
    "  applied  0",
    "  pending  none",
  ]);
});

test("without colour nothing has escape codes, on 40 columns either", () => {
  const everything = [
    ...swapLines(swap, { style: narrow, next }),
    ...planLines(plan, { style: narrow, run: "x" }),
    ...statusLines(status, { style: narrow, nowMs: 0 }),
  ].join("\n");
  expect(hasEscapes(everything)).toBe(false);
  const coloured = styleOf({ rich: true, colour: true, columns: 80 });
  expect(hasEscapes(planLines(plan, { style: coloured, run: "x" }).join("\n"))).toBe(true);
});
