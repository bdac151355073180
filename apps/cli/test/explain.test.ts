import type { ExplainReport } from "@replant/core";
import { expect, test } from "vitest";
import { explainLines, rowWayLines } from "../src/render/explain.ts";
import { styleOf } from "../src/render/style.ts";

const style = styleOf({ rich: false, colour: false, columns: 80 });
const table = { schema: "public", name: "accounts" };

const report: ExplainReport = {
  run: "20261120T094102123Z-a81f",
  command: "reset",
  at: "2026-11-20T09:41:02.123Z",
  backup: { id: "b", location: "backups/b" },
  route: { kind: "replay", level: 1, pending: ["2_b"], why: "1 migration is newer than the backup" },
  tables: [
    {
      table: "accounts",
      way: {
        table: "accounts",
        from: "users",
        rung: "replay",
        why: "1 migration is newer than the backup",
        droppedColumns: ["fax"],
        defaultedColumns: [{ name: "locale", value: "'en'" }],
        ruledColumns: ["plan"],
        suggestions: [],
        migrated: { loaded: 9, survived: 8, removed: 1, removedRows: ["id=7"], added: 2, own: 3 },
      },
      counts: { table, inBackup: 10, carried: 7, replacedSeeded: 1, dropped: 1, quarantined: 2, merged: ["id=3"] },
      repointed: [
        { table, constraint: "accounts_plan_id_fkey", rows: 4, mappings: [{ from: "1", to: "7", key: "name=free" }] },
      ],
      quarantined: Array.from({ length: 22 }, (_, n) => ({ table, row: `id=${n}`, reason: "too long" })),
      acceptedLoss: [{ table: "accounts", rows: 2, reason: "see the rows" }],
    },
  ],
  retried: null,
  warnings: ["pending migrations deleted 1 row of accounts"],
};

test("a run is told table by table: the way, the rows, the columns, what stayed behind", () => {
  const lines = explainLines(report, style);
  expect(lines.slice(0, 16)).toEqual([
    "run 20261120T094102123Z-a81f",
    "  command  reset, 2026-11-20T09:41:02.123Z",
    "  backup   backups/b",
    "  route    1 migration is newer than the backup: 2_b ran over the rows",
    "  accounts (was users)",
    "    replay   1 migration is newer than the backup",
    "    rows     7 of 10 kept, 1 in place of seeded ones, 1 left out by rule, 2 quarantined",
    "    migrated 9 rows of the backup",
    "    made     2 rows by migrations, of kept ones",
    "    own      3 rows that migrations insert everywhere: the new database has its own",
    "    deleted  1 row by migrations: id=7",
    "    default  locale -> 'en'",
    "    rule     plan is made by its rule",
    "    dropped  fax is not in the new schema",
    "    re-point 4 rows (accounts_plan_id_fkey)",
    "             1 -> 7  name=free",
  ]);
  expect(lines.slice(16, 19)).toEqual([
    "    lost     2 rows: see the rows",
    "    left     id=0: too long",
    "    left     id=1: too long",
  ]);
  expect(lines.slice(-2)).toEqual([
    "             and 2 more: --json lists them",
    "  warning  pending migrations deleted 1 row of accounts",
  ]);
});

test("one row: where it is, and which columns are what they were", () => {
  expect(
    rowWayLines({
      key: "7",
      inBackup: true,
      inLive: true,
      quarantined: null,
      columns: [
        { name: "id", change: "same" },
        { name: "name", change: "changed" },
        { name: "plan", change: "new" },
        { name: "fax", change: "gone" },
      ],
    }),
  ).toEqual([
    "  row 7",
    "    backup   has it",
    "    live     has it",
    "    same     id",
    "    changed  name",
    "    new      plan",
    "    gone     fax",
  ]);
  expect(rowWayLines({ key: "8", inBackup: true, inLive: false, quarantined: "too long", columns: [] })).toEqual([
    "  row 8",
    "    backup   has it",
    "    left     too long",
    "    live     does not have it",
  ]);
});
