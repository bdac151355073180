import { describe, expect, test } from "vitest";
import { keptRows, preparedTarget } from "./target.ts";

describe.each(["PostgreSQL 15", "embedded"] as const)("the plan on %s", (name) => {
  test("what --dry-run prints is what the run executes, and printing it touches nothing", async () => {
    const target = await preparedTarget(name);
    await target.script("create table legacy_audit (id int primary key); insert into legacy_audit values (1), (2)");
    const before = await keptRows(target);
    const dry = await target.workspace.replant(["reset", "--dry-run", "--json"]);
    expect(dry.code, dry.stderr).toBe(0);
    const plan = JSON.parse(dry.stdout).plan;
    const again = JSON.parse((await target.workspace.replant(["plan", "--json"])).stdout).plan;
    expect(again).toEqual(plan);
    const actionOf = (table: string): unknown => plan.tables.find((item: { table: string }) => item.table === table);
    expect(actionOf("users")).toMatchObject({ action: "keep", rows: 9, keptRows: 8 });
    expect(actionOf("mcp_servers")).toMatchObject({ action: "replace", keptRows: 0 });
    expect(actionOf("legacy_audit")).toMatchObject({ action: "drop", rows: 2 });
    expect(plan.totals).toMatchObject({ keptRows: 39, droppedTables: 1, lostRows: 0 });
    expect(await keptRows(target)).toEqual(before);
    expect(await target.lines("select count(*) from legacy_audit")).toEqual(["(2)"]);

    const run = await target.workspace.replant(["reset", "--json"]);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout).planHash).toBe(plan.hash);
    const text = await target.workspace.replant(["plan"]);
    expect(text.stderr).toMatch(/keep .*users/s);
    expect(text.stderr).toMatch(/replace .*mcp_servers|replace +\d+ tables/s);
  });

  test("rows that the new schema has no place for are said before the run", async () => {
    const target = await preparedTarget(name);
    await target.workspace.write({
      "migrations/20991231000000_drop/migration.sql": "drop table organization_resources;",
    });
    // The first attempt builds the baseline, so that the plan knows what is in it.
    expect((await target.workspace.replant(["reset"])).code).toBe(1);
    const dry = await target.workspace.replant(["plan", "--json"]);
    const { tables } = JSON.parse(dry.stdout).plan as { tables: { table: string; notes: string[] }[] };
    expect(tables.find(({ table }) => table === "organization_resources")?.notes[0]).toMatch(
      /^a pending migration drops it/,
    );
    const byName = await target.workspace.replant(["plan", "--no-replay", "--json"]);
    expect(JSON.parse(byName.stdout).plan.totals).toMatchObject({ keptRows: 36, lostRows: 3 });
  });
});
