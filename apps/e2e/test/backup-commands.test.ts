import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceConfig } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { keptRows, preparedTarget } from "./target.ts";

type Json = Record<string, any>; // oxlint-disable-line no-explicit-any

/** Runs a command that has to end with `code`, and gives its document. */
async function run(on: Target, words: string[], code = 0): Promise<Json> {
  const result = await on.workspace.replant([...words, "--json"]);
  expect(result.code, `${words.join(" ")}: ${result.stderr}`).toBe(code);
  return JSON.parse(result.stdout) as Json;
}

/** A workspace with kept rows and as many backups of them as asked for; their ids, oldest first. */
async function prepared(
  backups = 1,
  name: TargetName = "PostgreSQL 15",
): Promise<{ target: Target; folder: string; ids: string[] }> {
  const target = await preparedTarget(name);
  const ids: string[] = [];
  for (let n = 0; n < backups; n += 1) ids.push((await run(target, ["backup"]))["backup"]);
  return { target, folder: join(target.workspace.directory, "backups"), ids };
}

/** Turns one bit of the largest file of rows. */
async function damage(folder: string, id: string): Promise<void> {
  const names = (await readdir(join(folder, id))).filter((name) => name.endsWith(".copy.zst"));
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, id, name), bytes: await readFile(join(folder, id, name)) })),
  );
  const { path, bytes } = files.reduce((one, other) => (other.bytes.length > one.bytes.length ? other : one));
  bytes[70] = (bytes[70] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

const line = (id: string) => expect.objectContaining({ id });

describe("what can be done with backups", () => {
  test("verify finds damage that a listing cannot see, and the listing tells it from then on", async () => {
    const { target, folder, ids } = await prepared(3);
    const [first = "", second = "", third = ""] = ids;
    expect((await run(target, ["backup", "verify", "--all"]))["backups"]).toEqual(
      expect.arrayContaining([line(first), line(second), line(third)]),
    );
    await damage(folder, second);
    expect((await run(target, ["backups"]))["backups"]).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: second, damage: null })]),
    );
    const { error } = await run(target, ["backup", "verify", "--all"], 1);
    expect(error).toMatchObject({ code: "REPLANT_BACKUP_DAMAGED", message: expect.stringContaining("1 of ") });
    expect(error.items).toEqual([expect.stringContaining(second)]);
    const listed = (await run(target, ["backups"]))["backups"] as Json[];
    expect(listed.find(({ id }) => id === second)).toMatchObject({ damage: expect.any(String), verifiedAt: null });
    expect(listed.find(({ id }) => id === third)).toMatchObject({ damage: null, verifiedAt: expect.any(String) });
    await run(target, ["backup", "verify", second], 1);
    await run(target, ["backup", "verify"]);
    // Only good ones are counted back.
    expect((await run(target, ["backup", "show", "latest~1"]))["id"]).toBe(first);
  });

  test("show, rename, and the ways to name a backup", async () => {
    const { target, folder, ids } = await prepared(2);
    const [first = "", second = ""] = ids;
    await run(target, ["backup", "rename", first, "before-import"]);
    for (const reference of [first, "before-import", "latest~1", join(folder, first), `backups/${first}`]) {
      expect((await run(target, ["backup", "show", reference]))["id"], reference).toBe(first);
    }
    const ambiguous = await run(target, ["backup", "show", "20"], 64);
    expect(ambiguous["error"].items).toEqual(expect.arrayContaining([first, second]));
    const taken = await run(target, ["backup", "rename", second, "before-import"], 64);
    expect(taken["error"]).toMatchObject({ code: "REPLANT_USAGE", where: first });

    const shown = await run(target, ["backup", "show", "latest", "users", "--limit=3"]);
    expect(shown).toMatchObject({ rowsShown: 3, table: "users", role: "kept" });
    const [row] = shown["rows"] as (string | null)[][];
    const id = row?.[(shown["columns"] as string[]).indexOf("id")];
    expect(await target.lines(`select 1 from users where id = '${id}'`)).toHaveLength(1);
    const streamed = (
      await target.workspace.replant(["backup", "show", "latest", "users", "--json=stream"])
    ).stdout.trimEnd();
    const lines = streamed.split("\n").map((text) => JSON.parse(text) as Json);
    expect(lines.filter(({ type }) => type === "row").map((found) => found["row"])).toHaveLength(shown["rowsInBackup"]);
    expect(lines.at(-1)).toMatchObject({ type: "result", document: { ok: true, rowsShown: shown["rowsInBackup"] } });
    const unknown = await run(target, ["backup", "show", "latest", "user"], 64);
    expect(unknown["error"]).toMatchObject({ code: "REPLANT_TABLE_UNKNOWN", items: expect.arrayContaining(["users"]) });
  });

  test("diff counts what changed, by key", async () => {
    const { target } = await prepared(1);
    await target.script(
      "update users set first_name = 'Changed' where id = (select min(id::text)::uuid from users where deleted_at is null)",
    );
    await target.script(
      "delete from organization_services where id = (select min(id::text)::uuid from organization_services)",
    );
    await run(target, ["backup"]);
    const tables = (await run(target, ["backup", "diff", "latest~1", "latest"]))["tables"] as Json[];
    const counts = Object.fromEntries(
      tables.map(({ table, added, removed, changed }) => [table, [added, removed, changed]]),
    );
    expect(counts).toMatchObject({
      users: [0, 0, 1],
      organizations: [0, 0, 0],
      organization_services: [0, 1, 0],
    });
    const back = (await run(target, ["backup", "diff", "latest", "latest~1"]))["tables"] as Json[];
    expect(back.find(({ table }) => table === "organization_services")).toMatchObject({ added: 1, removed: 0 });
  });

  test("a copy in another directory is a store of its own that restores", async () => {
    const { target, ids } = await prepared(1);
    const before = await keptRows(target);
    await run(target, ["backup", "copy", "latest", "elsewhere"]);
    await target.script("delete from organization_services");
    await run(target, ["restore", "elsewhere/latest-backup.json"]);
    expect(await keptRows(target)).toEqual(before);
    expect(await readdir(join(target.workspace.directory, "elsewhere"))).toEqual([ids[0], "latest-backup.json"]);
  });

  test("a backup travels as one file, which every command opens where it lies", async () => {
    const { target, ids } = await prepared(1);
    const before = await keptRows(target);
    const copied = await run(target, ["backup", "copy", "latest", "moved.replant"]);
    expect(copied).toMatchObject({ id: ids[0], location: "moved.replant" });
    await run(target, ["backup", "copy", "latest", "moved.replant"], 1);
    expect(await run(target, ["backup", "show", "moved.replant"])).toMatchObject({
      id: ids[0],
      location: "moved.replant",
    });
    await run(target, ["backup", "verify", "moved.replant"]);
    await run(target, ["backup", "export", "moved.replant", "moved.json"]);
    const { tables } = await run(target, ["backup", "diff", "latest", "moved.replant"]);
    expect((tables as Json[]).every(({ added, removed, changed }) => added + removed + changed === 0)).toBe(true);
    await run(target, ["backup", "copy", "moved.replant", "elsewhere"]);
    await target.script("delete from organization_services");
    await run(target, ["restore", "moved.replant"]);
    expect(await keptRows(target)).toEqual(before);
    const path = join(target.workspace.directory, "moved.replant");
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from("x")]));
    expect((await run(target, ["restore", "moved.replant"], 1))["error"].code).toBe("REPLANT_BACKUP_DAMAGED");
    expect(await keptRows(target)).toEqual(before);
  });

  test("nothing is removed before somebody agreed, and the newest good one not before it was named", async () => {
    const { target, folder, ids } = await prepared(3);
    const [first = "", second = "", third = ""] = ids;
    const there = () => readdir(folder).then((names) => ids.filter((id) => names.includes(id)));
    expect((await run(target, ["backup", "remove", first], 3))["error"].code).toBe("REPLANT_CONSENT_NEEDED");
    await run(target, ["backup", "remove", first, third, `--yes=${target.database}`], 3);
    await run(target, ["backup", "remove", "latest", `--yes=${target.database}`], 3);
    await run(target, ["backup", "remove", first, "latest~9999", `--yes=${target.database}`], 64);
    expect(await there()).toEqual(ids);
    await run(target, ["backup", "remove", first, `--yes=${target.database}`]);
    expect(await there()).toEqual([second, third]);
    await run(target, ["backup", "remove", "latest", `--yes=${third}`]);
    expect(await there()).toEqual([second]);
    expect((await run(target, ["backup", "show", "latest"]))["id"]).toBe(second);
  });
});

const oddRows = `
  create schema billing;
  create table billing."Odd Table" (id bigint primary key, n numeric, f double precision, at timestamp(6) with time zone,
    b bytea, j jsonb, l text[], t text, ok boolean, i int, twice int generated always as (i / 2) stored);
  insert into billing."Odd Table" values
    (9007199254740993, 1.10, 'NaN', '2026-11-20 09:41:02.123456+00', '\\x00ff', '{"a": 1.0, "b": 1e400}', '{a,NULL,"x\\"y"}', E'tab\\t\\nnl \\\\N', true, -5),
    (-1, 'NaN', '-Infinity', 'infinity', '', 'null', '{}', '', false, 2147483647),
    (0, 12345678901234567890.123456789, 0.1, null, null, null, null, null, null, null);`;

describe("whole databases", () => {
  test("--all holds every row of every table, and a restore brings them back", async () => {
    const { target } = await prepared(0);
    const report = await run(target, ["backup", "--all"]);
    const labels = (report["tables"] as Json[]).map(({ table, role }) => `${role} ${table}`);
    expect(labels).toContain("kept mcp_servers");
    expect(labels.some((label) => /_prisma_migrations|replant|context/.test(label))).toBe(false);
    const before = await everyRow(target, labels);
    await target.script("delete from organization_services; update users set first_name = 'x', deleted_at = null");
    await target.script("update mcp_servers set name = 'renamed by hand'");
    await run(target, ["restore"]);
    expect(await everyRow(target, labels)).toEqual(before);
  });

  test("a restore goes by the recorded rules where the configuration says nothing any more", async () => {
    const { target } = await prepared(0);
    const rule = '  keep: {\n    mcp_servers: { onConflict: "seed" },';
    await target.workspace.write({ "replant.config.ts": workspaceConfig.replace("  keep: {", rule) });
    await target.script("update mcp_servers set name = 'renamed by hand'");
    await run(target, ["backup", "--all"]);
    await target.workspace.write({ "replant.config.ts": workspaceConfig });
    await run(target, ["restore"]);
    expect(await target.lines("select name from mcp_servers where name = 'renamed by hand'")).toEqual([]);
  });

  test("--tables holds those alone; one that does not exist is answered with those that do", async () => {
    const { target } = await prepared(0);
    const report = await run(target, ["backup", "--tables=users,organizations"]);
    expect((report["tables"] as Json[]).map(({ table, role }) => [role, table])).toEqual([
      ["kept", "organizations"],
      ["kept", "users"],
    ]);
    // The soft-deleted user too, whom a reset would leave behind.
    expect(report["tables"]).toContainEqual({
      table: "users",
      role: "kept",
      rows: (await target.lines("select id from users")).length,
    });
    const { error } = await run(target, ["backup", "--tables=users,organisations"], 64);
    expect(error).toMatchObject({
      code: "REPLANT_TABLE_UNKNOWN",
      message: expect.stringContaining("organisations"),
      items: expect.arrayContaining(["organizations"]),
    });
  });
});

describe("JSON documents", () => {
  test.each<TargetName>(["PostgreSQL 15", "embedded"])("export and import give the same backup on %s", async (name) => {
    const { target, folder } = await prepared(0, name);
    await target.script(oddRows);
    const first = (await run(target, ["backup", "--all"]))["backup"] as string;
    const exported = await run(target, ["backup", "export", "latest", "all.json"]);
    expect(exported["textColumns"]).toEqual(
      expect.arrayContaining(["billing.Odd Table.id (bigint)", "billing.Odd Table.j (jsonb)"]),
    );
    const path = join(target.workspace.directory, "all.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const document = JSON.parse(await readFile(path, "utf8")) as Json;
    expect(document).toMatchObject({ version: "1.0" });
    expect(document["tables"]["billing.Odd Table"][0]).toMatchObject({
      id: "9007199254740993",
      ok: true,
      i: -5,
      f: "NaN",
    });
    expect((await run(target, ["backup", "export", "latest", "all.json"], 64))["error"].message).toContain(
      "there already",
    );

    const second = (await run(target, ["backup", "import", "all.json"]))["backup"] as string;
    expect(second).not.toBe(first);
    const [from, to] = await Promise.all([manifestOf(folder, first), manifestOf(folder, second)]);
    const essence = ({ entries }: Json) =>
      (entries as Json[]).map(({ role, table, rows, digest, sizeBytes, columns }) => [
        role,
        table.name,
        rows,
        digest,
        sizeBytes,
        columns,
      ]);
    expect(essence(to)).toEqual(essence(from));
    const tables = (await run(target, ["backup", "diff", first, second]))["tables"] as Json[];
    expect(tables.map(({ added, removed, changed }) => added + removed + changed)).toEqual(tables.map(() => 0));
    await run(target, ["backup", "verify", second]);
  });

  test("kept rows with their context go through a document and are restored", async () => {
    const { target } = await prepared(1);
    const before = await keptRows(target);
    await run(target, ["backup", "export", "latest", "kept.json"]);
    await run(target, ["backup", "import", "kept.json"]);
    await target.script("update users set first_name = 'changed'; delete from organization_services");
    await run(target, ["restore", "latest"]);
    expect(await keptRows(target)).toEqual(before);
  });

  test.each<[string, string, string, string]>([
    ["an unknown table", '{"userz":[{"id":"1"}]}', "REPLANT_TABLE_UNKNOWN", "organization_memberships"],
    ["an unknown column", '{"users":[{"id":"1","nickname":"x"}]}', "REPLANT_USAGE", "no column nickname"],
    ["a value of another type", '{"users":[{"id":"no uuid"}]}', "REPLANT_USAGE", "invalid input syntax for type uuid"],
  ])("%s is refused: no backup, live unchanged", async (_case, tables, code, told) => {
    const { target, folder } = await prepared(0);
    const names = await readdir(folder).catch(() => []);
    await target.workspace.write({ "bad.json": `{"timestamp":"x","version":"1.0","tables":${tables}}` });
    const { error } = await run(target, ["backup", "import", "bad.json"], 64);
    expect(error.code).toBe(code);
    expect([error.message, ...(error.items ?? [])].join("\n")).toContain(told);
    expect(await readdir(folder).catch(() => [])).toEqual(names);
  });

  test("columns that a document lacks are named", async () => {
    const { target } = await prepared(0);
    await target.workspace.write({
      "few.json": `{"version":"1.0","timestamp":"x","tables":{"users":[{"id":"00000000-0000-4000-8000-000000000001"}]}}`,
    });
    const report = await run(target, ["backup", "import", "few.json"]);
    expect(report["warnings"]).toEqual([expect.stringMatching(/^users: no .*first_name/)]);
    expect(report["keptRows"]).toBe(1);
  });
});

async function manifestOf(folder: string, id: string): Promise<Json> {
  const [text = ""] = (await readFile(join(folder, id, "manifest.json"), "utf8")).split("\n");
  return JSON.parse(text) as Json;
}

function everyRow(target: Target, labels: readonly string[]): Promise<string[]> {
  const tables = labels.map((label) => label.replace("kept ", ""));
  return target.lines(
    `${tables.map((table) => `(select '${table}', t::text from ${table} t)`).join(" union all ")} order by 1, 2`,
  );
}
