import { readFile } from "node:fs/promises";
import { join } from "node:path";
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

  test("a plan that was written down is executed as long as it holds, and refused with what has changed", async () => {
    const target = await preparedTarget(name);
    const before = await keptRows(target);
    const { workspace } = target;
    const refused = async (file: string): Promise<{ code: string; items?: string[] }> => {
      const { code, stdout } = await workspace.replant(["apply", file, "--json"]);
      expect(code, stdout).not.toBe(0);
      expect(await keptRows(target)).toEqual(before);
      return (JSON.parse(stdout) as { error: { code: string; items?: string[] } }).error;
    };
    expect((await workspace.replant(["plan", "-o", "plan.json"])).stderr).toContain("apply plan.json");
    expect((await workspace.replant(["plan", "--out", "plan.json"])).code).toBe(64);
    const written = await readFile(join(workspace.directory, "plan.json"), "utf8");
    await workspace.write({ "edited.json": written.replace('"mode": "smart"', '"mode": "force"') });
    expect((await refused("edited.json")).code).toBe("REPLANT_PLAN_INVALID");
    expect((await refused("absent.json")).code).toBe("REPLANT_PLAN_INVALID");

    const migration = "migrations/20991231000000_more/migration.sql";
    await workspace.write({ [migration]: "create table more (id int primary key);" });
    const changed = await refused("plan.json");
    expect(changed.code).toBe("REPLANT_PLAN_CHANGED");
    expect(changed.items?.join("\n")).toContain("the pending migrations");
    await workspace.remove("migrations/20991231000000_more");
    await target.script("create table surprise (id int)");
    expect((await refused("plan.json")).items).toEqual(["surprise: was not there"]);
    await target.script("drop table surprise");

    const applied = await workspace.replant(["apply", "plan.json", "--json"]);
    expect(applied.code, applied.stderr).toBe(0);
    expect(await keptRows(target)).toEqual(before);
    const again = (
      JSON.parse((await workspace.replant(["apply", "plan.json", "--json"])).stdout) as { error: { items: string[] } }
    ).error;
    expect(again.items.join("\n")).toContain("the live database, which was replaced meanwhile");
  });
});
