import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { createDatabase } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { prismaMigrator } from "../../src/prisma/index.ts";
import { databases, serverSession, sessionOn } from "../sessions.ts";
import { failureOf, project } from "./project.ts";

const users = `create table "users" (id int primary key, name text);`;

interface Recorded {
  readonly name: string;
  readonly steps: number;
  readonly finished: boolean;
  readonly rolled_back: boolean;
  readonly logs: string | null;
}

async function recorded(session: SqlSession): Promise<Recorded[]> {
  return session.query<Recorded>(
    `select migration_name as name, applied_steps_count as steps, finished_at is not null as finished,
            rolled_back_at is not null as rolled_back, logs
       from public._prisma_migrations order by started_at, migration_name`,
  );
}

async function tables(session: SqlSession): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    "select c.relname::text as name from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1",
  );
  return rows.map((row) => row.name);
}

describe.each(databases)("prismaMigrator.apply on $engine", ({ open }) => {
  test("applies what is pending in order, records it as Prisma does, and does nothing the second time", async () => {
    const session = await open();
    const { migrator } = await project({
      "1_users": users,
      "2_empty": "",
      "3_comment": "-- nothing\n",
      "4_bom": "\uFEFFinsert into users values (1, 'a'); insert into users values (2, 'b');",
    });
    expect(await migrator.records(session)).toEqual([]);

    const seen: string[] = [];
    const applied = await migrator.apply(session, { onApplied: (migration) => seen.push(migration.path) });
    const files = await migrator.files();
    expect(applied).toEqual(files.map(({ name, checksum }) => ({ name, checksum })));
    expect(seen).toEqual(files.map((file) => file.path));
    expect(await migrator.records(session)).toEqual(applied.map((migration) => ({ ...migration, state: "applied" })));
    expect(await recorded(session)).toEqual(
      files.map(({ name }) => ({ name, steps: 1, finished: true, rolled_back: false, logs: null })),
    );
    expect(await session.query("select count(*)::text as n from users")).toEqual([{ n: "2" }]);

    expect(await migrator.apply(session, { onApplied: () => seen.push("again") })).toEqual([]);
    expect(seen).toHaveLength(4);
  });

  test("a file that fails leaves nothing, and the record of its failure; the next apply refuses", async () => {
    const session = await open();
    const { migrator, directory } = await project({
      "1_users": users,
      "2_bad": `create table posts (id int);\n\nalter table "users"\n  drop column "nmae";\n-- end\n`,
      "3_never": "create table never (id int);",
    });
    const seen: string[] = [];
    const error = await failureOf(migrator.apply(session, { onApplied: (migration) => seen.push(migration.name) }));
    expect(error).toMatchObject({
      code: "REPLANT_MIGRATION_FAILED",
      message: 'migration "2_bad" failed',
      details: {
        why: `column "nmae" of relation "users" does not exist [42703]; it gives no position, the statement shown is the likely one`,
        where: "prisma/migrations/2_bad/migration.sql:3",
        excerpt: [
          "  1 | create table posts (id int);",
          "  2 |",
          `> 3 | alter table "users"`,
          `  4 |   drop column "nmae";`,
          "  5 | -- end",
        ].join("\n"),
      },
    });
    expect(seen).toEqual(["1_users"]);
    expect(await tables(session)).toEqual(["_prisma_migrations", "users"]);
    const [, failed] = await recorded(session);
    expect(failed).toMatchObject({ name: "2_bad", steps: 0, finished: false });
    expect(failed?.logs).toContain("42703");

    await writeFile(join(directory, "2_bad", "migration.sql"), "select 1");
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      code: "REPLANT_MIGRATION_HISTORY",
      details: {
        items: ["2_bad: started and never finished"],
        hint: `reset the database, or resolve it: prisma migrate resolve --rolled-back "2_bad"`,
      },
    });

    await session.query("update _prisma_migrations set rolled_back_at = now() where migration_name = '2_bad'");
    expect((await migrator.apply(session)).map(({ name }) => name)).toEqual(["2_bad", "3_never"]);
  });

  test("a server's position becomes a line and a caret", async () => {
    const session = await open();
    const { migrator } = await project({ "1_typo": "-- \u{1F600} ünï\nselect 1;\nselec 2;\n" });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      details: {
        where: "prisma/migrations/1_typo/migration.sql:3",
        excerpt: ["  1 | -- \u{1F600} ünï", "  2 | select 1;", "> 3 | selec 2;", "    | ^", "  4 |"].join("\n"),
        why: 'syntax error at or near "selec" [42601]',
      },
    });
  });

  test("an error inside a DO block is found by the line that the server names", async () => {
    const session = await open();
    const { migrator } = await project({
      "1_block": "select 1;\ndo $body$\nbegin\n  perform 1;\n  raise exception 'no %', 'good';\nend $body$;\n",
    });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      details: { where: "prisma/migrations/1_block/migration.sql:5", why: "no good [P0001]" },
    });
  });

  test("NOT NULL on a column that has NULLs points at the statement that set it", async () => {
    const session = await open();
    const { migrator } = await project({
      "1_users": `${users} insert into users (id) values (1);`,
      "2_required": `alter table "users" add "age" int;\nupdate "users" set "age" = null;\nalter table "users" alter "age" set not null;`,
    });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      details: { where: "prisma/migrations/2_required/migration.sql:3" },
    });
  });

  test("nothing is put into a transaction: CREATE INDEX CONCURRENTLY runs", async () => {
    const session = await open();
    const { migrator } = await project({
      "1_users": users,
      "2_index": `create index concurrently "users_name" on "users" ("name");`,
    });
    expect(await migrator.apply(session)).toHaveLength(2);
  });

  test("a file with its own BEGIN and COMMIT", async () => {
    const session = await open();
    const { migrator } = await project({
      "1_own": "begin; create table a (id int); commit;",
      "2_fails": "begin; create table b (id int); select 1/0; commit;",
    });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      details: { why: "division by zero [22012]" },
    });
    expect(await tables(session)).toEqual(["_prisma_migrations", "a"]);
    expect((await recorded(session))[1]?.logs).toContain("division by zero");
  });

  test("a BEGIN without its COMMIT would lose everything and is refused", async () => {
    const session = await open();
    const { migrator } = await project({ "1_open": "begin; create table a (id int);", "2_more": "select 1;" });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      code: "REPLANT_MIGRATION_FAILED",
      details: {
        where: "prisma/migrations/1_open/migration.sql",
        why: "the migration begins a transaction that it does not end",
      },
    });
    expect(await tables(session)).toEqual(["_prisma_migrations"]);
    expect(await recorded(session)).toMatchObject([{ name: "1_open", finished: false }]);
  });

  test("an emptied search path does not outlive the run, and does not hide the state table", async () => {
    const session = await open();
    const { migrator } = await project({
      "1_dump": "select pg_catalog.set_config('search_path', '', false); create table public.a (id int);",
      "2_more": "create table public.b (id int);",
    });
    const before = await session.query("select current_setting('search_path') as path");
    await migrator.apply(session);
    expect(await session.query("select current_setting('search_path') as path")).toEqual(before);
    expect(await migrator.records(session)).toHaveLength(2);
  });

  test("edited and missing files stop it before anything is applied, each named; out of order is applied", async () => {
    const session = await open();
    const { migrator, directory } = await project({ "1_a": "select 1;", "2_b": "select 2;", "4_d": "select 4;" });
    await migrator.apply(session);

    await writeFile(join(directory, "1_a", "migration.sql"), "select 1 ;");
    await rm(join(directory, "2_b"), { recursive: true });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      code: "REPLANT_MIGRATION_HISTORY",
      details: {
        items: [
          "1_a: prisma/migrations/1_a/migration.sql was changed after it was applied",
          "2_b: applied, but its file is gone",
        ],
      },
    });

    const later = await project({ "1_a": "select 1;", "2_b": "select 2;", "3_c": "select 3;", "4_d": "select 4;" });
    expect((await later.migrator.apply(session)).map(({ name }) => name)).toEqual(["3_c"]);
  });

  test("other line ends are the same file, a byte order mark is not", async () => {
    const session = await open();
    const unix = await project({ "1_a": "select 1;\nselect 2;\n" });
    await unix.migrator.apply(session);
    const windows = await project({ "1_a": "select 1;\r\nselect 2;\r\n" });
    expect(await windows.migrator.apply(session)).toEqual([]);
    const marked = await project({ "1_a": "\uFEFFselect 1;\nselect 2;\n" });
    await expect(marked.migrator.apply(session)).rejects.toMatchObject({
      code: "REPLANT_MIGRATION_HISTORY",
    });
  });

  test("a database with tables and no record is not taken for an empty one, and stays as it is", async () => {
    const session = await open();
    await session.script("create table pushed (id int)");
    const { migrator } = await project({ "1_users": users });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      code: "REPLANT_MIGRATION_HISTORY",
      details: { items: ["pushed"] },
    });
    expect(await tables(session)).toEqual(["pushed"]);
  });
});

describe("prismaMigrator.apply beside others", () => {
  test("waits for Prisma's advisory lock, then names its holder; its own settings stay as they were", async () => {
    const database = await createDatabase(18);
    const session = await sessionOn(database.url);
    const other = await sessionOn(database.url);
    await other.script("set application_name = 'prisma'; select pg_advisory_lock(72707369)");
    await session.query("select set_config('lock_timeout', '7s', false)");
    const { root, directory } = await project({ "1_users": users });
    const migrator = prismaMigrator({ root, directory, files: nodeFiles(), lockWaitMs: 50 });

    const error = await failureOf(migrator.apply(session));
    expect(error).toMatchObject({
      code: "REPLANT_LOCKED",
      details: { items: [expect.stringMatching(/^pid \d+, prisma$/)] },
    });
    expect(await session.query("select current_setting('lock_timeout') as t")).toEqual([{ t: "7s" }]);

    await other.script("select pg_advisory_unlock_all()");
    expect(await migrator.apply(session)).toHaveLength(1);
    expect(await other.query("select pg_try_advisory_lock(72707369) as free")).toEqual([{ free: true }]);
  });

  test("a session that is lost in a migration leaves an unfinished record", async () => {
    const session = await serverSession(18);
    const { migrator } = await project({ "1_dies": "select pg_terminate_backend(pg_backend_pid());" });
    expect(await failureOf(migrator.apply(session))).toMatchObject({
      code: "REPLANT_MIGRATION_FAILED",
      details: { where: expect.stringContaining("prisma/migrations/1_dies/migration.sql") },
    });
  });
});
