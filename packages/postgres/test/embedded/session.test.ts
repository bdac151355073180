import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { setImmediate } from "node:timers/promises";
import type { SqlSession } from "@replant/core";
import { expect, onTestFinished, test } from "vitest";
import { candidateWith, collect, engineOn, freshOptions, liveWith } from "./workbench.ts";

async function session(): Promise<SqlSession> {
  const engine = engineOn(freshOptions());
  const opened = await engine.connect(await candidateWith(engine, "one"));
  onTestFinished(() => opened.close());
  return opened;
}

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await setImmediate();
    yield bytes.subarray(at, at + size);
  }
}

test("a script is one transaction, and what cannot be in one runs alone", async () => {
  const sql = await session();
  await expect(sql.script("create table u (i int); insert into u values (1); select 1 / 0")).rejects.toMatchObject({
    code: "22012",
  });
  expect(await sql.query("select to_regclass('u') as u")).toEqual([{ u: null }]);
  await sql.script("create index concurrently t_x on t (x)");
  await expect(sql.script("select 1; create index concurrently t_x2 on t (x)")).rejects.toMatchObject({
    code: "25001",
  });
  await sql.script("begin; insert into t values (2, 'two')");
  await sql.script("rollback");
  expect(await sql.query("select id from t")).toEqual([{ id: 1 }]);
  await expect(sql.query("select nothing from t")).rejects.toMatchObject({ code: "42703", position: "8" });
  expect(await sql.query("select 1 as alive")).toEqual([{ alive: 1 }]);
});

test("COPY FROM STDIN in a script fails and leaves the session alive", async () => {
  const sql = await session();
  await expect(sql.script("copy t from stdin")).rejects.toMatchObject({ code: "57014" });
  await expect(sql.query("copy t from stdin")).rejects.toMatchObject({ code: "57014" });
  expect(await sql.query("select count(*)::int as n from t")).toEqual([{ n: 1 }]);
});

test("values come back as node-postgres has them", async () => {
  const sql = await session();
  const [row] =
    await sql.query(`select true as b, 7::int2 as i2, 9007199254740993 as i8, 1.50::numeric as n, 0.1::float8 as f,
    'x'::name as name, '{"a":[1]}'::jsonb as j, '\\x00ff'::bytea as raw, timestamptz '2026-11-21 10:15:00.123456+00' as at,
    'infinity'::timestamptz as never, array['a', null, 'q"\\,{}']::text[] as texts, array[[1,2],[3,4]] as grid, null as nothing`);
  expect(row).toEqual({
    b: true,
    i2: 7,
    i8: "9007199254740993",
    n: "1.50",
    f: 0.1,
    name: "x",
    j: { a: [1] },
    raw: Buffer.from([0, 255]),
    at: new Date("2026-11-21T10:15:00.123Z"),
    never: "infinity",
    texts: ["a", null, 'q"\\,{}'],
    grid: [
      [1, 2],
      [3, 4],
    ],
    nothing: null,
  });
  const params = [
    "x",
    12n,
    true,
    null,
    new Date("2026-11-21T10:15:00.123Z"),
    Buffer.from([0, 255]),
    { a: 1 },
    ["a", null, 'q"\\'],
  ];
  const [echoed] = await sql.query(
    `select $1::text as a, $2::int8::text as b, $3::bool as c, $4::int as d, ($5::timestamptz)::text as e, ($6::bytea)::text as f,
       ($7::jsonb)::text as g, $8::text[] as h`,
    params,
  );
  expect(echoed).toEqual({
    a: "x",
    b: "12",
    c: true,
    d: null,
    e: "2026-11-21 10:15:00.123+00",
    f: "\\x00ff",
    g: '{"a": 1}',
    h: ["a", null, 'q"\\'],
  });
});

test("hostile values survive COPY out and in byte for byte, whatever the sizes of the chunks", async () => {
  const sql = await session();
  const hostile = [
    "\\.",
    "\\N",
    "",
    "a\tb\nc\rd\\e\bf\vg",
    "null",
    "'; drop table t; --",
    "𝒳\u2028é",
    "\\\\.",
    "x".repeat(300_000),
  ];
  for (const [index, text] of hostile.entries()) await sql.query("insert into t values ($1, $2)", [index + 10, text]);
  await sql.query("insert into t values (99, null)");
  const digest = "select md5(string_agg(t::text, '|' order by id)) as digest from t";
  const before = await sql.query(digest);
  const bytes = await collect(
    sql.copyOut("copy (select id, x from t where x is distinct from ' to stdout ('  order by id) to stdout"),
  );
  await sql.script("delete from t");
  expect(await sql.copyIn('copy "t" (id, x) from stdin with (format text)', chunked(bytes, 7_001))).toBe(
    hostile.length + 2,
  );
  expect(await sql.query(digest)).toEqual(before);
});

test("a COPY that fails in its last row leaves no row, and no file", async () => {
  const sql = await session();
  await expect(
    sql.copyIn("copy t from stdin", chunked(Buffer.from("5\ta\n6\tb\n1\tduplicate\n"), 4)),
  ).rejects.toMatchObject({ code: "23505" });
  expect(await sql.query("select id from t")).toEqual([{ id: 1 }]);
  const rows = sql.copyOut("copy t to stdout");
  for await (const chunk of rows) {
    expect(Buffer.from(chunk).toString()).toBe("1\tone\n");
    break;
  }
  await expect(collect(sql.copyOut("select 1"))).rejects.toThrow("not a COPY TO STDOUT");
});

test("nothing of a session is left to the next one on the same database", async () => {
  const engine = engineOn(freshOptions());
  const live = await liveWith(engine, "kept");
  const lock = await engine.lock({ run: "r", command: "reset", pid: process.pid, host: "h", since: "" });
  const first = await engine.connect(live);
  await expect(engine.connect(live)).rejects.toThrow("has a session already");
  await first.script("set search_path = pg_catalog; set extra_float_digits = 0; create temp table left_over (i int)");
  await first.script("begin; delete from public.t");
  await first.close();
  await expect(first.query("select 1")).rejects.toThrow("is closed");
  const second = await engine.connect(live);
  const [row] = await second.query(
    `select current_setting('search_path') as path, current_setting('extra_float_digits') as digits, current_setting('TimeZone') as zone,
      current_setting('DateStyle') as dates, to_regclass('left_over') as temp, (select count(*)::int from t) as rows`,
  );
  expect(row).toEqual({ path: '"$user", public', digits: "1", zone: "UTC", dates: "ISO, MDY", temp: null, rows: 1 });
  await second.close();
  await lock.release();
});

test("every commit on live reaches the disk before it is acknowledged, and a disk that fails is not believed", async () => {
  const engine = engineOn(freshOptions());
  const live = await liveWith(engine, "durable");
  const sql = await engine.connect(live);
  const real = fs.fsyncSync;
  let calls = 0;
  let broken = false;
  fs.fsyncSync = (descriptor) => {
    calls += 1;
    if (broken) throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" });
    real(descriptor);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.fsyncSync = real;
    syncBuiltinESMExports();
  });
  for (let id = 10; id < 20; id += 1) await sql.query("insert into t values ($1, 'x')", [id]);
  expect(calls).toBeGreaterThanOrEqual(10);
  broken = true;
  await expect(sql.query("insert into t values (20, 'never acknowledged')")).rejects.toMatchObject({ code: "EIO" });
  await expect(sql.query("select 1")).rejects.toMatchObject({ code: "EIO" });
  broken = false;
  await sql.close();
  const again = await engine.connect(live);
  expect(await again.query("select count(*)::int as n from t where id < 20")).toEqual([{ n: 11 }]);
  await again.close();
});

test("a full disk ends the session by name, and loses nothing that was acknowledged", async () => {
  const engine = engineOn(freshOptions());
  const live = await liveWith(engine, "kept");
  const sql = await engine.connect(live);
  await sql.query("insert into t values (2, 'kept too')");
  const real = fs.writeSync;
  const restore = (): void => {
    fs.writeSync = real;
  };
  onTestFinished(restore);
  const full = (): number => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  fs.writeSync = full;
  await expect(sql.query("insert into t values (3, repeat('x', 100000))")).rejects.toMatchObject({
    code: "REPLANT_DISK_FULL",
  });
  await expect(sql.query("select 1")).rejects.toMatchObject({ code: "REPLANT_DISK_FULL" });
  restore();
  await sql.close();
  const again = await engine.connect(live);
  expect(await again.query("select id from t order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  await again.close();
});
