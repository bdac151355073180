import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceConfig } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { addSyncedRows, keptRows, openTarget } from "./target.ts";

interface Way {
  readonly table: string;
  readonly from: string | null;
  readonly rung: string;
  readonly why: string;
  readonly migrated: {
    readonly loaded: number;
    readonly survived: number;
    readonly added: number;
    readonly own: number;
  } | null;
}

interface Report {
  readonly route: { readonly kind: string; readonly why: string };
  readonly ways: readonly Way[];
  readonly warnings: readonly string[];
  readonly backup: { readonly id: string };
}

async function prepared(name: TargetName): Promise<Target> {
  const target = await openTarget(name);
  expect((await target.workspace.replant(["reset"])).code).toBe(0);
  await addSyncedRows(target);
  return target;
}

async function report(target: Target, args: readonly string[]): Promise<Report> {
  const result = await target.workspace.replant([...args, "--json"]);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return JSON.parse(result.stdout) as Report;
}

const migration = (name: string): string => `migrations/20991231000000_${name}/migration.sql`;
const keeping = (more: string): string => workspaceConfig.replace("  keep: {", `  keep: {\n${more}`);

/** A rename, a split of a column into a table of its own, a column in capitals, rows of the migration's own. */
const evolve = `
alter table organizations rename column name to title;
update users set first_name = upper(first_name);
create table profiles (id uuid primary key default gen_random_uuid(), user_id uuid not null unique references users (id), last_name text);
insert into profiles (user_id, last_name) select id, last_name from users;
alter table users drop column last_name;
create table plans (id uuid primary key default gen_random_uuid(), name text not null unique, created_at timestamptz not null default now());
insert into plans (name) values ('free'), ('team');
alter table organizations add column plan_id uuid references plans (id);
update organizations set plan_id = (select id from plans where name = 'free');
alter table organizations alter column plan_id set not null;
`;

describe.each<TargetName>(["PostgreSQL 15", "embedded"])("a schema that moved on, on %s", (name) => {
  test("pending migrations run over the kept rows, and what they make of them is kept", async () => {
    const target = await prepared(name);
    const before = await target.lines(
      "select u.id, upper(u.first_name), u.last_name, u.created_at from users u where deleted_at is null order by 1",
    );
    const titles = await target.lines("select id, name from organizations where deleted_at is null order by 1");
    await target.workspace.write({
      [migration("evolve")]: evolve,
      // A rule for values of older rows says nothing of what migrations have made.
      "replant.config.ts": keeping(
        `    profiles: { columns: { last_name: { convert: "'of a rule'" } } },\n    plans: true,`,
      ),
    });
    const plan = await target.workspace.replant(["plan"]);
    expect(plan.stderr + plan.stdout).toContain("pending migrations run over its rows");
    const { route, ways, warnings } = await report(target, ["reset"]);
    expect(route).toMatchObject({ kind: "replay", why: "1 migration is newer than the backup" });
    expect(new Set(ways.map(({ rung }) => rung))).toEqual(new Set(["replay"]));
    expect(ways.find(({ table }) => table === "profiles")?.migrated).toMatchObject({ loaded: 0, added: 8, own: 0 });
    // The new database has its own; nothing is doubled.
    expect(ways.find(({ table }) => table === "plans")?.migrated).toMatchObject({ loaded: 0, added: 0, own: 2 });
    expect(warnings).toEqual([]);
    expect(
      await target.lines(
        "select u.id, u.first_name, p.last_name, u.created_at from users u join profiles p on p.user_id = u.id order by 1",
      ),
    ).toEqual(before);
    expect(await target.lines("select id, title from organizations order by 1")).toEqual(titles);
    expect(await target.lines("select distinct p.name from organizations o join plans p on p.id = o.plan_id")).toEqual([
      "(free)",
    ]);
    expect(await target.lines("select count(*) from plans")).toEqual(["(2)"]);
    expect(await target.leftovers()).toEqual([]);

    const told = await target.workspace.replant(["explain"]);
    expect(told.code, told.stderr).toBe(0);
    expect(told.stdout + told.stderr).toMatch(/made +8 rows by migrations, of kept ones/);
    const [first = ""] = await target.lines("select id from users order by 1 limit 1");
    const one = await target.workspace.replant(["explain", "--table=users", `--row=${first.slice(1, -1)}`, "--json"]);
    const { row } = JSON.parse(one.stdout) as { row: { columns: { name: string; change: string }[] } };
    expect(row).toMatchObject({ inBackup: true, inLive: true, quarantined: null });
    const changes = new Map(row.columns.map((column) => [column.name, column.change]));
    expect([changes.get("first_name"), changes.get("last_name"), changes.get("email")]).toEqual([
      "changed",
      "gone",
      "same",
    ]);
    const absent = await target.workspace.replant(["explain", "2001", "--json"]);
    expect(absent.code).toBe(64);
    expect(JSON.parse(absent.stdout).error.code).toBe("REPLANT_RUN_UNKNOWN");
    // The next one has nothing to migrate.
    expect((await report(target, ["reset"])).route.kind).toBe("direct");
  });

  test("rows that migrations make in a table that nobody keeps are named", async () => {
    const target = await prepared(name);
    await target.workspace.write({ [migration("evolve")]: evolve });
    const { warnings } = await report(target, ["reset"]);
    expect(warnings).toEqual([
      "pending migrations made 8 rows of kept ones in profiles, which no rule keeps: they stay behind",
    ]);
  });

  test("a migration that the rows do not fit is named with its line and the rows; columns can go by name instead", async () => {
    const target = await prepared(name);
    const before = await keptRows(target);
    await target.workspace.write({
      [migration("tighten")]: "-- everybody has a picture\nalter table users alter column image_url set not null;\n",
    });
    const failed = await target.workspace.replant(["reset", "--json"]);
    expect(failed.code, failed.stderr).toBe(1);
    const { error } = JSON.parse(failed.stdout) as { error: Record<string, unknown> & { items: string[] } };
    expect(error).toMatchObject({ code: "REPLANT_MIGRATION_FAILED", where: `${migration("tighten")}:2` });
    expect(String(error["why"])).toContain('column "image_url"');
    expect(error.items[0]).toMatch(/^users id=0b0{6}/);
    expect(String(error["state"])).toMatch(/NOT changed/);
    expect(String(error["hint"])).toContain("--no-replay");
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);

    const byName = await target.workspace.replant(["reset", "--no-replay", "--json"]);
    expect(byName.code).toBe(1);
    expect(JSON.parse(byName.stdout).error).toMatchObject({ code: "REPLANT_ROWS_LOST" });
    await target.workspace.write({
      "replant.config.ts": workspaceConfig.replace(
        'users: "deleted_at is null"',
        `users: { where: "deleted_at is null", columns: { image_url: { fill: "'https://example.com/' || id || '.png'" } } }`,
      ),
    });
    const { route } = await report(target, ["reset", "--no-replay"]);
    expect(route.why).toContain("were not to run");
    expect(
      await target.lines("select count(*) from users where image_url = 'https://example.com/' || id || '.png'"),
    ).not.toEqual(["(0)"]);
  });

  test("a backup from before an edited migration goes by name and by rule, and says so", async () => {
    const target = await prepared(name);
    const names = await target.lines("select id, name from organizations where deleted_at is null order by 1");
    const { backup } = JSON.parse((await target.workspace.replant(["backup", "--json"])).stdout) as { backup: string };
    const edited = "migrations/20250804160000_updated_at_by_the_database/migration.sql";
    const sql = await readFile(join(target.workspace.directory, edited), "utf8");
    await target.workspace.write({
      [edited]: `-- edited\n${sql}alter table organizations rename column name to title;\n`,
      "replant.config.ts": workspaceConfig.replace(
        'organizations: "deleted_at is null"',
        'organizations: { where: "deleted_at is null", columns: { title: { rename: "name" } } }',
      ),
    });
    const { route, ways } = await report(target, ["restore", backup]);
    expect(route).toMatchObject({ kind: "direct" });
    expect(route.why).toBe("the migration 20250804160000_updated_at_by_the_database was changed since the backup");
    expect(ways.find(({ table }) => table === "organizations")).toMatchObject({ rung: "map" });
    expect(ways.find(({ table }) => table === "users")).toMatchObject({ rung: "straight" });
    expect(await target.lines("select id, title from organizations order by 1")).toEqual(names);
  });
});
