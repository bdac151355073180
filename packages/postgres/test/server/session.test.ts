import { isReplantError, sqlState } from "@replant/core";
import { connect, createDatabase, serverUrl, sql, type TestDatabase } from "@replant/testkit";
import { createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openSession, type PgSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/index.ts";

async function open(url: string): Promise<PgSession> {
  const address = parseServerUrl(url);
  return openSession(address, { database: address.database, applicationName: "replant" });
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

describe.each([15, 18] as const)("a session on PostgreSQL %i", (major) => {
  let database: TestDatabase;
  let session: PgSession;

  beforeAll(async () => {
    database = await createDatabase(major, { prefix: "session" });
    const quoted = `"${database.name}"`;
    await sql(
      database.url,
      `alter database ${quoted} set datestyle to 'German, DMY';
       alter database ${quoted} set timezone to 'Asia/Tokyo';
       alter database ${quoted} set extra_float_digits to '-3';
       alter database ${quoted} set statement_timeout to '20ms';
       alter database ${quoted} set idle_in_transaction_session_timeout to '1ms';
       alter database ${quoted} set default_transaction_read_only to on;
       alter database ${quoted} set search_path to app, public`,
    );
  });
  afterEach(() => session.close());
  afterAll(() => database.drop());

  test("has settings of its own, whatever the database sets, but keeps the search path", async () => {
    session = await open(database.url);
    const [row] = await session.query(
      `select '2026-01-02 03:04:05.123456+09'::timestamptz::text as at, (0.1::float8 + 0.2::float8)::text as float,
       '\\x00ff'::bytea::text as bytes, '1 day 2 hours'::interval::text as span, current_setting('row_security') as rls,
       current_setting('application_name') as app, current_setting('search_path') as path, pg_sleep(0.05) is null as slept`,
    );
    expect(row).toEqual({
      at: "2026-01-01 18:04:05.123456+00",
      float: "0.30000000000000004",
      bytes: "\\x00ff",
      span: "1 day 02:00:00",
      rls: "off",
      app: "replant",
      path: "app, public",
      slept: false,
    });
    await session.script("begin; create table public.t (id int); rollback");
  });

  test("knows its database and its backend", async () => {
    session = await open(database.url);
    const [row] = await session.query(
      "select pg_backend_pid() as pid, (select oid::text from pg_database where datname = current_database()) as id",
    );
    expect(row).toEqual({ pid: session.pid, id: session.databaseId });
    expect([session.database, session.direct, session.alive]).toEqual([database.name, true, true]);
  });

  test("query takes one statement, script many", async () => {
    session = await open(database.url);
    await expect(session.query("select 1; select 2")).rejects.toMatchObject({ code: "42601" });
    expect(await session.query("select $1::text as v", ["x"])).toEqual([{ v: "x" }]);
    await session.script("create schema app; create table app.t (id int); insert into app.t values (1)");
    await expect(session.script("insert into app.t values (2); select 1/0")).rejects.toMatchObject({ code: "22012" });
    expect(await session.query("select id from app.t")).toEqual([{ id: 1 }]);
    await session.script("drop schema app cascade");
  });

  describe("copyOut", () => {
    test("streams what the server writes, byte by byte", async () => {
      session = await open(database.url);
      const text = await textOf(
        session.copyOut("copy (select n, e'a\\tb\\nc', null from generate_series(1, 3) n) to stdout"),
      );
      expect(text).toBe("1\ta\\tb\\nc\t\\N\n2\ta\\tb\\nc\t\\N\n3\ta\\tb\\nc\t\\N\n");
      expect(await textOf(session.copyOut("copy (select 1 where false) to stdout"))).toBe("");
    });

    test("does not run ahead of its consumer, and ends when the consumer returns early", async () => {
      session = await open(database.url);
      const rows = session.copyOut("copy (select repeat('x', 1000) from generate_series(1, 2000000)) to stdout");
      const first = await rows.next();
      expect(first.done).toBe(false);
      // 2 GB are to come; the server can only have sent what the sockets hold.
      const watcher = await connect(database.url);
      const waiting = async (): Promise<string> => {
        const { rows: found } = await watcher.query("select wait_event from pg_stat_activity where pid = $1", [
          session.pid,
        ]);
        return String((found as { wait_event: string }[])[0]?.wait_event);
      };
      await expect.poll(waiting, { timeout: 30_000 }).toBe("ClientWrite");
      await watcher.end();
      await rows.return(undefined);
      expect(await session.query("select 1 as one")).toEqual([{ one: 1 }]);
      expect(session.busy).toBe(false);
    });

    test("holds what came last and no more", async () => {
      session = await open(database.url);
      const rows = session.copyOut("copy (select repeat('x', 1000) from generate_series(1, 200000)) to stdout");
      const before = process.memoryUsage().arrayBuffers;
      let [bytes, peak] = [0, 0];
      for await (const chunk of rows) {
        bytes += chunk.length;
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      }
      expect(bytes).toBe(200_200_000);
      expect(peak).toBeLessThan(4_000_000);
    });

    test("gives a value larger than any buffer, and hands on what the server says beside the rows", async () => {
      session = await open(database.url);
      await session.script(`create function pg_temp.told(n int) returns text language plpgsql as $$
        begin
          raise notice 'row %: %', n, repeat('n', 3000);
          perform set_config('application_name', 'row-' || n, false);
          return repeat('x', case when n = 3 then 5000000 else n end);
        end $$`);
      const text = await textOf(
        session.copyOut("copy (select n, pg_temp.told(n) from generate_series(1, 5) n) to stdout"),
      );
      const lengths = text.split("\n").map((line) => line.length);
      expect(lengths).toEqual([3, 4, 5_000_002, 6, 7, 0]);
      expect(await session.query("show application_name")).toEqual([{ application_name: "row-5" }]);
    });

    test("may be left at its very end", async () => {
      session = await open(database.url);
      for (let round = 0; round < 50; round += 1) {
        for await (const chunk of session.copyOut("copy (select 1) to stdout")) {
          expect(chunk.length).toBe(2);
          if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
          break;
        }
        expect(await session.query("select 1 as one")).toEqual([{ one: 1 }]);
      }
    });

    test("throws the server's error, at once or in the middle", async () => {
      session = await open(database.url);
      await expect(textOf(session.copyOut("copy absent to stdout"))).rejects.toMatchObject({ code: "42P01" });
      await expect(
        textOf(session.copyOut("copy (select 1 / (100000 - n) from generate_series(1, 100000) n) to stdout")),
      ).rejects.toMatchObject({ code: "22012" });
      expect(await session.query("select 1 as one")).toEqual([{ one: 1 }]);
    });

    test("throws when the server ends the session in the middle", async () => {
      session = await open(database.url);
      const rows = session.copyOut("copy (select repeat('x', 1000) from generate_series(1, 2000000)) to stdout");
      await rows.next();
      await sql(await serverUrl(major), "select pg_terminate_backend($1)", [session.pid]);
      await expect(textOf(rows)).rejects.toThrow(/terminat/);
      await expect.poll(() => session.alive).toBe(false);
    });
  });

  describe("copyIn", () => {
    test("loads every chunk, however the rows are cut, and returns the count", async () => {
      session = await open(database.url);
      await session.script("begin; create temp table t (a int, b text)");
      expect(await session.copyIn("copy t from stdin", chunks("1\ta", "b\n", "", "2\t", "\\N\n"))).toBe(2);
      expect(await session.query("select * from t order by a")).toEqual([
        { a: 1, b: "ab" },
        { a: 2, b: null },
      ]);
      expect(await session.copyIn("copy t from stdin", chunks())).toBe(0);
      async function* many(): AsyncGenerator<Uint8Array> {
        for (let n = 0; n < 2000; n += 1) yield Buffer.from(`${n}\t${"x".repeat(10_000)}\n`);
      }
      expect(await session.copyIn("copy t from stdin", many())).toBe(2000);
    });

    test("takes nothing when the source throws, and throws what it threw", async () => {
      session = await open(database.url);
      await session.script("create temp table t (a int)");
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("1\n");
        throw new Error("the file ended");
      }
      await expect(session.copyIn("copy t from stdin", broken())).rejects.toThrow("the file ended");
      expect(await session.query("select count(*)::int as n from t")).toEqual([{ n: 0 }]);
    });

    test("throws the server's error, and stops reading the source", async () => {
      session = await open(database.url);
      await session.script("create temp table t (a int)");
      let returned = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield Buffer.from(`${"no number".repeat(1000)}\n`);
        } finally {
          returned = true;
        }
      }
      await expect(session.copyIn("copy t from stdin", endless())).rejects.toMatchObject({ code: "22P02" });
      expect(returned).toBe(true);
      await expect(session.copyIn("copy absent from stdin", chunks("1\n"))).rejects.toMatchObject({ code: "42P01" });
      expect(await session.query("select count(*)::int as n from t")).toEqual([{ n: 0 }]);
    });

    test("throws when the server ends the session in the middle", async () => {
      session = await open(database.url);
      await session.script("create temp table t (a text)");
      const server = await serverUrl(major);
      async function* cut(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("1\n");
        await sql(server, "select pg_terminate_backend($1)", [session.pid]);
        for (;;) yield Buffer.from(`${"x".repeat(10_000)}\n`);
      }
      await expect(session.copyIn("copy t from stdin", cut())).rejects.toThrow(/terminat|EPIPE|ECONNRESET/);
    });
  });

  test("a session that the server ends while idle is an error of the next statement only", async () => {
    session = await open(database.url);
    await sql(await serverUrl(major), "select pg_terminate_backend($1)", [session.pid]);
    await expect.poll(() => session.alive).toBe(false);
    await expect(session.query("select 1")).rejects.toThrow(/not queryable/);
    await session.close();
    await session.close();
  });

  test("closing may happen twice and rolls back", async () => {
    session = await open(database.url);
    await session.script("begin; create table public.gone (id int)");
    await Promise.all([session.close(), session.close()]);
    expect(session.alive).toBe(false);
    expect(await sql(database.url, "select to_regclass('gone') as t")).toEqual([{ t: null }]);
  });

  test("a database that is not there, a wrong password: named, with a hint, without the password", async () => {
    session = await open(database.url);
    const url = new URL(database.url);
    url.password = "s3cret";
    url.pathname = "/absent_database";
    const error = await open(url.href).catch((failure: unknown) => failure);
    if (!isReplantError(error)) throw error;
    expect(error.code).toBe("REPLANT_CONNECTION_FAILED");
    expect(error.message).toBe(
      `cannot connect to "absent_database" at ${url.host}: database "absent_database" does not exist`,
    );
    expect(error.details.hint).toContain("create the database");
    expect(sqlState(error.cause)).toBe("3D000");
    expect(JSON.stringify([error.message, error.details])).not.toContain("s3cret");
  });
});

test("a server that refuses, and one that never answers, are both connection failures", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const hanging = open(`postgres://u@127.0.0.1:${port}/app`).catch((error: unknown) => error);
  await expect(hanging).resolves.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  for (const socket of sockets) socket.destroy();
  silent.close();
  await new Promise((resolve) => silent.once("close", resolve));
  await expect(open(`postgres://u@127.0.0.1:${port}/app`)).rejects.toMatchObject({
    code: "REPLANT_CONNECTION_FAILED",
    details: { hint: "start the server, or correct host and port of the database URL" },
  });
});
