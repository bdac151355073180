import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openProject } from "@replant/cli";
import type { SwapReport, Table } from "@replant/core";
import { backup, dependencyOrder, reset, restore, sameTable } from "@replant/core";
import { describe, expect, test } from "vitest";
import { openTarget, type Target } from "./target.ts";

const migrations = join(import.meta.dirname, "../../../packages/database/prisma/migrations");
const names = (await readdir(migrations)).filter((name) => name !== "migration_lock.toml").sort();
const seeds = { sets: null, only: null };
const agree = async (): Promise<void> => undefined;

const config = (keep: readonly string[]): string => `export default {
  project: "omni",
  migrations: { tool: "prisma", directory: "migrations" },
  seeds: { files: [] },
  keep: { ${keep.map((table) => `${JSON.stringify(table)}: true`).join(", ")} },
};
`;

/** A value for a column that the database gives none: different for every row. */
function valueSql(table: Table, name: string, row: number): string {
  const key = table.foreignKeys.find(({ columns }) => columns.length === 1 && columns[0] === name);
  if (key !== undefined) {
    return `(select ${key.targetColumns[0]} from "${key.target.name}" order by 1 offset ${row} limit 1)`;
  }
  const column = table.columns.find((candidate) => candidate.name === name);
  // It was text until a migration made it json.
  if (name === "configuration") return `'{"row": ${row}}'`;
  if (column?.enumLabels != null) return `'${column.enumLabels[row % column.enumLabels.length]}'`;
  switch (column?.baseType ?? "") {
    case "jsonb":
      return `'{"row": ${row}, "deep": [null, 1.50]}'`;
    case "integer":
    case "bigint":
      return String(row);
    case "inet":
      return `'10.0.0.${row}'`;
    case "boolean":
      return "true";
    case "timestamp with time zone":
      return `'2026-01-01 00:00:00.123456+00'::timestamptz + ${row} * interval '1 day'`;
    case "text[]":
      return `array['a', '${row}']`;
    default:
      return `'${name} ${table.name} ${row}'`;
  }
}

/** Two rows in every table, every column written but those that the database fills. */
function rowsSql(tables: readonly Table[]): string {
  const ordered = dependencyOrder(tables, (table) =>
    tables.filter((other) => table.foreignKeys.some(({ target }) => sameTable(target, other))),
  );
  const inserts = ordered.flatMap((table) => {
    const columns = table.columns.filter(
      (column) => !column.generated && !/gen_random_uuid|now\(\)|CURRENT/.test(column.default ?? ""),
    );
    return [0, 1].map((row) => {
      const values = columns.map(({ name }) => valueSql(table, name, row)).join(", ");
      return `insert into "${table.name}" (${columns.map(({ name }) => `"${name}"`).join(", ")}) values (${values});`;
    });
  });
  return inserts.join("\n");
}

async function withProject<Value>(
  target: Target,
  work: (project: Awaited<ReturnType<typeof openProject>>) => Promise<Value>,
): Promise<Value> {
  const project = await openProject({ cwd: target.workspace.directory, env: { DATABASE_URL: target.url ?? "" } });
  try {
    return await work(project);
  } finally {
    await project.close();
  }
}

async function userTables(target: Target): Promise<readonly Table[]> {
  const engine = target.engine();
  try {
    const session = await engine.connect((await engine.liveRef())!);
    const { tables } = await engine.catalog(session);
    await session.close();
    return tables;
  } finally {
    await engine.close();
  }
}

describe("a backup of the reference workspace comes back at today's schema", () => {
  test.each(names.map((name, index) => [index + 1, name] as const))("from level %i, %s", async (level) => {
    const target = await openTarget("PostgreSQL 15");
    const { workspace } = target;
    for (const later of names.slice(level)) await workspace.remove(`migrations/${later}`);
    const made = await Promise.all(
      names.slice(0, level).map((name) => readFile(join(migrations, name, "migration.sql"), "utf8")),
    );
    const kept = made.flatMap((sql) => [...sql.matchAll(/CREATE TABLE "(\w+)"/g)].map(([, table = ""]) => table));
    // What migrations insert by themselves stays out of the way of the generated rows' keys.
    await workspace.write({ "replant.config.ts": config(kept.filter((table) => table !== "system_settings")) });
    const request = {
      mode: "smart",
      seeds,
      acceptLoss: [],
      replay: true,
      keepFailed: false,
      authorise: agree,
    } as const;
    await withProject(target, ({ ports, project }) => reset(ports, project, request));

    const tables = (await userTables(target)).filter(({ name }) => name !== "system_settings");
    await target.script(rowsSql(tables));
    const before = new Map<string, string[]>();
    for (const { name } of tables) before.set(name, await target.lines(`select id from "${name}" order by 1`));

    const { backup: id } = await withProject(target, ({ ports, project }) => backup(ports, project));
    for (const later of names.slice(level)) {
      await cp(join(migrations, later), join(workspace.directory, "migrations", later), { recursive: true });
    }
    const report = await withProject(target, ({ ports, project }) =>
      restore(ports, project, { ...request, backup: id, fromProject: false }),
    );
    expect(report.route?.kind).toBe(level === names.length ? "direct" : "replay");
    for (const [name, ids] of before) {
      expect(ids, name).toHaveLength(2);
      expect(await target.lines(`select id from "${name}" order by 1`), name).toEqual(ids);
    }
    expect(countsOf(report)).toEqual(Object.fromEntries(tables.map(({ name }) => [name, 2])));
    expect(await target.leftovers()).toEqual([]);
  });
});

function countsOf({ carried }: SwapReport): Record<string, number> {
  return Object.fromEntries((carried?.tables ?? []).map(({ table, carried: rows }) => [table.name, rows]));
}

/** A project of its own with one table of people, whose schema moves on in steps. */
describe("synthetic projects", () => {
  const people =
    "create table people (id uuid primary key default gen_random_uuid(), name text not null, contact text);";
  const rows = "insert into people (name, contact) values ('Ada Lovelace', 'ada@example.com'), ('Alan Turing', null)";
  const split = `alter table people add column first text, add column last text, add column details jsonb not null default '{}';
    update people set first = split_part(name, ' ', 1), last = split_part(name, ' ', 2);
    update people set details = jsonb_build_object('mail', contact) where contact is not null;
    alter table people drop column name, drop column contact, alter column first set not null;`;
  const after = "select first, last, details from people order by first";
  const expected = ['(Ada,Lovelace,"{""mail"": ""ada@example.com""}")', "(Alan,Turing,{})"];
  const byRule = `{ columns: {
    first: { convert: "split_part(name, ' ', 1)" }, last: { convert: "split_part(name, ' ', 2)" },
    details: { convert: "case when contact is null then '{}'::jsonb else jsonb_build_object('mail', contact) end" },
  } }`;
  const configOf = (rule: string): string => config([]).replace("keep: {  }", `keep: { people: ${rule} }`);
  const file = (name: string): string => `migrations/${name}/migration.sql`;

  async function grown(): Promise<{ target: Target; backup: string }> {
    const target = await openTarget("PostgreSQL 15");
    const { workspace } = target;
    await workspace.remove("migrations");
    await workspace.write({ [file("1_people")]: people, "replant.config.ts": configOf("true") });
    expect((await workspace.replant(["reset"])).code).toBe(0);
    await target.script(rows);
    const { backup: id } = JSON.parse((await workspace.replant(["backup", "--json"])).stdout) as { backup: string };
    return { target, backup: id };
  }

  test("data migrations that split names and move columns into json", async () => {
    const { target, backup: id } = await grown();
    await target.workspace.write({ [file("2_split")]: split });
    const result = await target.workspace.replant(["restore", id, "--json"]);
    expect(result.code, result.stderr).toBe(0);
    expect((JSON.parse(result.stdout) as SwapReport).route?.kind).toBe("replay");
    expect(await target.lines(after)).toEqual(expected);
  });

  test("a history that was squashed half-way: by rule, and without rules nothing is lost in silence", async () => {
    const { target, backup: id } = await grown();
    await target.workspace.remove("migrations/1_people");
    await target.workspace.write({
      [file("3_squashed")]: people + split,
    });
    const refused = await target.workspace.replant(["restore", id, "--json"]);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).error).toMatchObject({ code: "REPLANT_ROWS_LOST" });
    await target.workspace.write({ "replant.config.ts": configOf(byRule) });
    const result = await target.workspace.replant(["restore", id, "--json"]);
    expect(result.code, result.stderr).toBe(0);
    const report = JSON.parse(result.stdout) as SwapReport;
    expect(report.route).toMatchObject({ kind: "direct", why: expect.stringContaining("not among the files") });
    expect(report.ways[0]?.rung).toBe("map");
    expect(await target.lines(after)).toEqual(expected);
  });

  test("a live schema that was pushed and has no history", async () => {
    const target = await openTarget("PostgreSQL 15");
    const { workspace } = target;
    await workspace.remove("migrations");
    await workspace.write({ [file("1_split")]: people + split, "replant.config.ts": configOf(byRule) });
    const engine = target.engine();
    const pushed = await engine.create({
      role: "candidate",
      run: "push",
      fingerprint: null,
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    await engine.swap({
      candidate: pushed,
      live: await engine.liveRef(),
      fence: null,
      run: "push",
      at: "2026-01-01T00:00:00.000Z",
    });
    await engine.close();
    await target.script(`${people} ${rows}`);
    const result = await workspace.replant(["reset", "--json"]);
    expect(result.code, result.stderr).toBe(0);
    expect((JSON.parse(result.stdout) as SwapReport).route).toEqual({
      kind: "direct",
      why: "the backup knows no migrations",
    });
    expect(await target.lines(after)).toEqual(expected);
  });
});
