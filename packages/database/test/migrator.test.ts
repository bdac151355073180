import { cpSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Migrator, SqlSession } from "@replant/core";
import { prismaMigrator } from "@replant/migrators/prisma";
import { nodeFiles } from "@replant/node";
import { openServer } from "@replant/postgres/server";
import { createDatabase, sql, tempDir, writeTree } from "@replant/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { history, prismaDirectory } from "./history.ts";
import { prismaCli } from "./prisma-cli.ts";

/** A copy of the workspace's Prisma project with a database of its own, for Prisma's CLI and for the migrator. */
async function project(major: 15 | 18): Promise<{ cwd: string; url: string; session: SqlSession; migrator: Migrator }> {
  const cwd = await tempDir();
  cpSync(prismaDirectory, join(cwd, "prisma"), { recursive: true });
  await writeTree(cwd, {
    "prisma.config.ts": `export default {
      schema: "prisma/schema.prisma",
      migrations: { path: "prisma/migrations" },
      datasource: { url: process.env["DATABASE_URL"] },
    };`,
  });
  const { url, session } = await database(major);
  const migrator = prismaMigrator({ directory: join(cwd, "prisma", "migrations"), root: cwd, files: nodeFiles() });
  return { cwd, url, session, migrator };
}

async function database(major: 15 | 18): Promise<{ url: string; session: SqlSession }> {
  const made = await createDatabase(major);
  onTestFinished(() => made.drop());
  const engine = openServer({ url: made.url });
  onTestFinished(() => engine.close());
  const live = await engine.liveRef();
  if (live === null) throw new Error("the database is not there");
  return { url: made.url, session: await engine.connect(live) };
}

const names = history().map(({ name }) => name);

/** The state table itself, and what its rows say but for ids and times. */
async function stateTable(url: string): Promise<unknown> {
  return {
    columns: await sql(
      url,
      `select a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, pg_get_expr(d.adbin, d.adrelid) as "default"
         from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = '_prisma_migrations'::regclass and a.attnum > 0 order by a.attnum`,
    ),
    constraints: await sql(
      url,
      `select conname, pg_get_constraintdef(oid) as definition from pg_constraint
        where conrelid = '_prisma_migrations'::regclass and contype <> 'n' order by conname`,
    ),
    rows: await sql(
      url,
      `select length(id) as id, checksum, migration_name, logs, rolled_back_at, applied_steps_count,
              finished_at >= started_at as in_order
         from _prisma_migrations order by started_at`,
    ),
  };
}

describe.each([15, 18] as const)("what the migrator leaves on PostgreSQL %i, judged by Prisma's own CLI", (major) => {
  test("is up to date, the schema, and free of drift; the state table is Prisma's to the last column", async () => {
    const { cwd, url, session, migrator } = await project(major);
    expect((await migrator.apply(session)).map(({ name }) => name)).toEqual(names);

    const judge = (...args: string[]): Promise<unknown> => prismaCli(args, { cwd, url });
    expect(await judge("migrate", "status")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Database schema is up to date!"),
    });
    expect(
      await judge("migrate", "diff", "--exit-code", "--from-config-datasource", "--to-schema", "prisma/schema.prisma"),
    ).toMatchObject({ code: 0, stdout: expect.stringContaining("No difference detected.") });
    expect(await judge("migrate", "dev")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Already in sync"),
    });
    expect(await judge("migrate", "deploy")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("No pending migrations to apply."),
    });

    const deployed = await database(major);
    expect(await prismaCli(["migrate", "deploy"], { cwd, url: deployed.url })).toMatchObject({ code: 0 });
    expect(await stateTable(url)).toEqual(await stateTable(deployed.url));
    expect(await migrator.apply(deployed.session)).toEqual([]);
  });

  test("goes on where Prisma stopped, and Prisma goes on where it stopped", async () => {
    const { cwd, url, session, migrator } = await project(major);
    const later = names.slice(8);
    for (const name of later) await rm(join(cwd, "prisma/migrations", name), { recursive: true });
    expect(await prismaCli(["migrate", "deploy"], { cwd, url })).toMatchObject({ code: 0 });
    const restore = (name = ""): void =>
      cpSync(join(prismaDirectory, "migrations", name), join(cwd, "prisma/migrations", name), { recursive: true });
    later.slice(0, 3).forEach(restore);
    expect((await migrator.apply(session)).map(({ name }) => name)).toEqual(later.slice(0, 3));
    restore();
    expect(await prismaCli(["migrate", "deploy"], { cwd, url })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(later.at(-1) ?? "-"),
    });
    expect((await migrator.records(session)).map(({ name, state }) => [name, state])).toEqual(
      names.map((name) => [name, "applied"]),
    );
  });
});

test("a failure that the migrator recorded holds up Prisma, and Prisma's way of resolving it lets both go on", async () => {
  const { cwd, url, session, migrator } = await project(18);
  await writeTree(cwd, {
    "prisma/migrations/20990101000000_broken/migration.sql": "CREATE TABLE half (id int); SELECT missing FROM half;",
  });
  await expect(migrator.apply(session)).rejects.toMatchObject({
    code: "REPLANT_MIGRATION_FAILED",
    details: { where: "prisma/migrations/20990101000000_broken/migration.sql:1" },
  });
  const deploy = await prismaCli(["migrate", "deploy"], { cwd, url });
  expect(deploy.stderr).toContain("P3009");
  expect(deploy.stderr).toContain("20990101000000_broken");

  const resolve = ["migrate", "resolve", "--rolled-back", "20990101000000_broken"];
  expect(await prismaCli(resolve, { cwd, url })).toMatchObject({ code: 0 });
  await writeTree(cwd, { "prisma/migrations/20990101000000_broken/migration.sql": "CREATE TABLE half (id int);" });
  expect(await migrator.apply(session)).toHaveLength(1);
  expect(await prismaCli(["migrate", "status"], { cwd, url })).toMatchObject({ code: 0 });
});

test("both call the same file edited, and neither minds other line ends", async () => {
  const { cwd, url, session, migrator } = await project(18);
  await migrator.apply(session);
  const [first] = history();
  if (first === undefined) throw new Error("there are no migrations");
  const file = join(cwd, "prisma/migrations", first.name, "migration.sql");

  await writeFile(file, first.sql.replaceAll("\n", "\r\n"));
  expect(await migrator.apply(session)).toEqual([]);
  expect(await prismaCli(["migrate", "dev"], { cwd, url })).toMatchObject({ code: 0 });

  await writeFile(file, `${first.sql} `);
  await expect(migrator.apply(session)).rejects.toMatchObject({ code: "REPLANT_MIGRATION_HISTORY" });
  const dev = await prismaCli(["migrate", "dev"], { cwd, url });
  expect(dev.code).not.toBe(0);
  expect(dev.stdout + dev.stderr).toContain(first.name);
});
