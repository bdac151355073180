import type { SeedResult, SqlSession } from "@replant/core";
import { importModule, nodeFiles } from "@replant/node";
import { tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { createSeeder } from "../src/index.ts";
import { databases, serverSession } from "./sessions.ts";

const all = { sets: null, only: null };
const quiet = { mustWrite: false, onSeed: () => undefined };
const building = { mustWrite: true, onSeed: () => undefined };
const header = `import { defineSeed } from ${JSON.stringify(import.meta.resolve("../src/index.ts"))};\n`;

/** A seeder over these seed files, each with the import of defineSeed in front as its first line. */
async function seeder(files: Readonly<Record<string, string>>): Promise<ReturnType<typeof createSeeder>> {
  const root = await tempDir();
  const withHeader = Object.entries(files).map(([path, text]) => [`seeds/${path}`, header + text] as const);
  await writeTree(root, Object.fromEntries(withHeader));
  return createSeeder({ root, patterns: ["seeds/*.ts"], sets: ["system"], files: nodeFiles(), importModule });
}

async function ledger(session: SqlSession): Promise<unknown[]> {
  return session.query(
    "select name, set_name, rows::text, length(fingerprint) as hash from replant.applied_seeds order by name",
  );
}

const servers = `export const servers = defineSeed({ name: "servers", run: ({ upsert }) =>
  upsert("servers", [{ key: "a" }, { key: "b" }], { key: ["key"] }) });`;
const schema = "create table servers (id int generated always as identity primary key, key text unique)";

describe.each(databases)("running seeds on $engine", ({ open }) => {
  test("in order, each with its line in the ledger; again adds nothing", async () => {
    const session = await open();
    await session.script(
      `${schema}; create table prompts (server int references servers, name text, unique (server, name))`,
    );
    const project = await seeder({
      "a-prompts.ts": `export const prompts = defineSeed({ name: "prompts", dependsOn: ["servers"], async run({ query, upsert }) {
        const servers = await query("select id from servers");
        await query("insert into prompts select id, 'raw' from servers on conflict do nothing");
        await upsert("prompts", servers.map(({ id }) => ({ server: id, name: "hello" })), { key: ["server", "name"] });
      } });`,
      "b-servers.ts": servers,
      "c-mock.ts": `export const mock = defineSeed({ name: "mock", set: "mock", async run() { throw new Error("not chosen"); } });`,
    });
    const seen: SeedResult[] = [];
    const expected = [
      { name: "servers", set: "system", rows: 2 },
      { name: "prompts", set: "system", rows: 4 },
    ];
    const results = await project.run(session, all, { mustWrite: true, onSeed: (result) => seen.push(result) });
    expect(results).toEqual(expected);
    expect(seen).toEqual(expected);
    expect(await ledger(session)).toEqual([
      { name: "prompts", set_name: "system", rows: "4", hash: 64 },
      { name: "servers", set_name: "system", rows: "2", hash: 64 },
    ]);

    expect(await project.run(session, all, quiet)).toEqual(expected.map((result) => ({ ...result, rows: 0 })));
    expect(await session.query("select count(*)::text as n from prompts")).toEqual([{ n: "4" }]);
    expect(await ledger(session)).toMatchObject([{ rows: "0" }, { rows: "0" }]);
  });

  test("a seed that fails leaves nothing of itself, keeps what ran before, and says what the server said", async () => {
    const session = await open();
    await session.script(schema);
    const project = await seeder({
      "a.ts": servers,
      "b.ts": `export const broken = defineSeed({ name: "broken", dependsOn: ["servers"], async run({ query }) {
        await query("insert into servers (key) values ('c')");
        await query("insert into servers (key) values ('a')");
      } });`,
    });
    await expect(project.run(session, all, building)).rejects.toMatchObject({
      code: "REPLANT_SEED_FAILED",
      message: 'seed "broken" failed',
      details: {
        where: "seeds/b.ts:4",
        why: expect.stringMatching(/duplicate key value .*\(Key \(key\)=\(a\) already exists\.\) \[23505\]/),
      },
    });
    expect(await session.query("select key from servers order by key")).toEqual([{ key: "a" }, { key: "b" }]);
    expect(await ledger(session)).toMatchObject([{ name: "servers" }]);
  });

  test("a seed that wrote nothing is an error in a new database, unless it may", async () => {
    const session = await open();
    await session.script(schema);
    const idle = `async run({ query }) { await query("select 1"); await query("delete from servers"); }`;
    const project = await seeder({ "a.ts": `export const idle = defineSeed({ name: "idle", ${idle} });` });
    await expect(project.run(session, all, building)).rejects.toMatchObject({
      code: "REPLANT_SEED_EMPTY",
      message: 'seed "idle" ended without an error but wrote nothing',
      details: { where: "seeds/a.ts:2" },
    });
    expect(await ledger(session)).toEqual([]);
    expect(await project.run(session, all, quiet)).toMatchObject([{ rows: 0 }]);
    const allowed = await seeder({
      "a.ts": `export const idle = defineSeed({ name: "idle", mayBeEmpty: true, ${idle} });`,
    });
    expect(await allowed.run(session, all, building)).toMatchObject([{ rows: 0 }]);
  });

  test("a change of the schema is something written", async () => {
    const session = await open();
    const project = await seeder({
      "a.ts": `export const view = defineSeed({ name: "view", run: ({ query }) => query("create view v as select 1") });`,
    });
    expect(await project.run(session, all, building)).toMatchObject([{ name: "view", rows: 0 }]);
  });
});

describe("what a seed cannot get wrong unseen", () => {
  const cases: { title: string; run: string; where?: number; why: RegExp }[] = [
    {
      title: "an error that it caught, in a transaction that is broken by it",
      run: `async run({ query }) {
        try { await query("insert into nowhere values (1)"); } catch {}
      }`,
      where: 3,
      why: /relation "nowhere" does not exist.*42P01/,
    },
    {
      title: "a caught error, and a later call that only says that the transaction is broken",
      run: `async run({ query }) {
        try { await query("insert into nowhere values (1)"); } catch {}
        await query("select 1");
      }`,
      where: 3,
      why: /relation "nowhere" does not exist/,
    },
    {
      title: "a call that it did not await",
      run: `async run({ upsert }) {
        void upsert("nowhere", [{ key: "c" }], { key: ["key"] });
      }`,
      where: 3,
      why: /^there is no table "nowhere"$/,
    },
    {
      title: "a COMMIT of its own",
      run: `async run({ query }) { await query("insert into servers (key) values ('c')"); await query("commit"); }`,
      why: /^the seed ended the transaction that it runs in$/,
    },
    {
      title: "a ROLLBACK of its own",
      run: `async run({ query }) { await query("insert into servers (key) values ('c')"); await query("rollback"); }`,
      why: /^the seed ended the transaction that it runs in$/,
    },
    {
      title: "a constraint that is checked at the end",
      run: `async run({ query }) { await query("insert into children values (99)"); }`,
      why: /violates foreign key constraint .*23503/,
    },
    {
      title: "an error of its own",
      run: `async run({ query }) {
        await query("insert into servers (key) values ('c')");
        const rows = [];
        rows[0].name.trim();
      }`,
      where: 5,
      why: /Cannot read properties of undefined/,
    },
    { title: "something thrown that is no error", run: `async run() { throw "no luck"; }`, why: /^no luck$/ },
  ];

  test.each(cases)("$title", async ({ run, where, why }) => {
    const session = await serverSession(18);
    await session.script(
      `${schema}; create table children (server int references servers deferrable initially deferred)`,
    );
    const project = await seeder({ "a.ts": `export const s = defineSeed({ name: "s", ${run} });` });
    await expect(project.run(session, all, building)).rejects.toMatchObject({
      code: "REPLANT_SEED_FAILED",
      message: 'seed "s" failed',
      details: {
        where: `seeds/a.ts:${where ?? 2}`,
        why: expect.stringMatching(why),
      },
    });
    expect(await ledger(session)).toEqual([]);
    // The session is usable, and nothing is open in it.
    expect(await session.query("select pg_current_xact_id_if_assigned() is null as idle")).toEqual([{ idle: true }]);
    await expect(session.query("savepoint s")).rejects.toMatchObject({ code: "25P01" });
  });

  test("calls that were not awaited are waited for, and Promise.all works", async () => {
    const session = await serverSession(18);
    await session.script(schema);
    const project = await seeder({
      "a.ts": `export const s = defineSeed({ name: "s", async run({ query }) {
        await Promise.all(["a", "b", "c"].map((key) => query("insert into servers (key) values ($1)", [key])));
        void query("select pg_sleep(0.05)").then(() => query("insert into servers (key) values ('late')"));
      } });`,
    });
    expect(await project.run(session, all, building)).toMatchObject([{ rows: 4 }]);
    expect(await session.query("select count(*)::text as n from servers")).toEqual([{ n: "4" }]);
  });

  test("a call after the seed has ended fails, and does not reach the database", async () => {
    const session = await serverSession(18);
    await session.script(schema);
    const project = await seeder({
      "a.ts": `export const s = defineSeed({ name: "s", async run({ query }) {
        await query("insert into servers (key) values ('a')");
        globalThis.lateCall = () => query("insert into servers (key) values ('late')");
      } });`,
    });
    await project.run(session, all, building);
    const { lateCall } = globalThis as unknown as { lateCall: () => Promise<unknown> };
    await expect(lateCall()).rejects.toMatchObject({ message: "a seed went on working after its run had ended" });
    expect(await session.query("select count(*)::text as n from servers")).toEqual([{ n: "1" }]);
  });

  test("the session gets one call at a time, whatever the seed awaits", async () => {
    const session = await serverSession(18);
    await session.script(schema);
    let running = 0;
    const overlaps: string[] = [];
    const watched: SqlSession = {
      database: session.database,
      script: (sql) => session.script(sql),
      copyOut: (sql) => session.copyOut(sql),
      copyIn: (sql, bytes) => session.copyIn(sql, bytes),
      close: () => session.close(),
      query: async (sql, params) => {
        if (running > 0) overlaps.push(sql);
        running += 1;
        return session.query(sql, params).finally(() => (running -= 1)) as never;
      },
    };
    const project = await seeder({
      "a.ts": `export const s = defineSeed({ name: "s", async run({ query, upsert }) {
        void upsert("servers", [{ key: "z" }], { key: ["key"] });
        await Promise.all(["a", "b", "c"].map((key) => query("insert into servers (key) values ($1)", [key])));
      } });`,
    });
    expect(await project.run(watched, all, building)).toMatchObject([{ rows: 4 }]);
    expect(overlaps).toEqual([]);
  });

  test("a table is looked up again after it was changed, and by the next seed", async () => {
    const session = await serverSession(18);
    const upsert = (column: string): string => `upsert("t", [{ k: 1, ${column}: "x" }], { key: ["k"] })`;
    const project = await seeder({
      "a.ts": `export const a = defineSeed({ name: "a", async run({ query, upsert }) {
        await query("create table t (k int primary key, v text)"); await ${upsert("v")};
        await query("alter table t add column u text"); await ${upsert("u")};
        await query("alter table t add column w text");
      } });`,
      "b.ts": `export const b = defineSeed({ name: "b", run: ({ upsert }) => ${upsert("w")} });`,
    });
    expect(await project.run(session, all, building)).toMatchObject([{ rows: 2 }, { rows: 1 }]);
  });

  test("a role that may write the ledger need not be able to create it", async () => {
    const session = await serverSession(18);
    const role = `seeder_${session.database}`;
    await session.script(
      `${schema}; create schema replant;
       create table replant.applied_seeds (name text primary key, set_name text, fingerprint text, rows bigint, applied_at timestamptz default now());
       create role "${role}"; grant usage on schema replant to "${role}";
       grant all on all tables in schema public, replant to "${role}"; grant all on all sequences in schema public to "${role}";
       set role "${role}"`,
    );
    const project = await seeder({ "a.ts": servers });
    expect(await project.run(session, all, building)).toMatchObject([{ rows: 2 }]);
    await session.script(`reset role; drop owned by "${role}"; drop role "${role}"`);
  });
});
