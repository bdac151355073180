import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { serveEmbedded, type EmbeddedOptions, type ServeEvent, type Serving } from "../../src/embedded/index.ts";
import { startChild } from "./child.ts";
import {
  candidateWith,
  collect,
  engineOn,
  freshOptions,
  holder,
  liveText,
  liveWith,
  runId,
  swapIn,
  within,
} from "./workbench.ts";

async function served(options: EmbeddedOptions, events: ServeEvent[] = []): Promise<Serving> {
  const serving = await serveEmbedded({ ...options, run: runId(), port: 0, onEvent: (event) => events.push(event) });
  onTestFinished(() => serving.close());
  return serving;
}

async function client({ port }: Serving, database = "app"): Promise<Client> {
  const connected = new Client({ host: "127.0.0.1", port, user: "anybody", database });
  connected.on("error", () => undefined);
  onTestFinished(() => connected.end().catch(() => undefined));
  await connected.connect();
  return connected;
}

async function databaseOf(text: string): Promise<EmbeddedOptions> {
  const options = freshOptions();
  const engine = engineOn(options);
  await liveWith(engine, text);
  await engine.close();
  return options;
}

test("a client reads and writes live, and no other name is answered", async () => {
  const serving = await served(await databaseOf("served"));
  const first = await client(serving);
  expect((await first.query("select x from t where id = $1", [1])).rows).toEqual([{ x: "served" }]);
  await expect(client(serving, "tenant1")).rejects.toMatchObject({ code: "3D000" });
  const second = await client(serving);
  const named = { name: "same-name", text: "select $1::int as n" };
  expect((await first.query({ ...named, values: [1] })).rows).toEqual([{ n: 1 }]);
  expect((await second.query({ name: "same-name", text: "select $1::text as t", values: ["b"] })).rows).toEqual([
    { t: "b" },
  ]);
  expect((await first.query({ ...named, values: [2] })).rows).toEqual([{ n: 2 }]);
  await expect(first.query("copy t from stdin")).rejects.toMatchObject({ code: "57014" });
  expect((await first.query("select count(*)::int as n from t")).rows).toEqual([{ n: 1 }]);
});

test("a client waits while another has a transaction open, and gets its turn when that one vanishes", async () => {
  const serving = await served(await databaseOf("turns"));
  const writer = await client(serving);
  const reader = await client(serving);
  await writer.query("begin");
  await writer.query("insert into t values (2, 'uncommitted')");
  const count = reader.query("select count(*)::int as n from t");
  await writer.end();
  expect((await count).rows).toEqual([{ n: 1 }]);
});

test("a served database steps aside for a reset and comes back with the new one", async () => {
  const options = await databaseOf("old");
  const events: ServeEvent[] = [];
  const serving = await served(options, events);
  const before = await client(serving);
  const dropped = new Promise((resolve) => before.once("end", resolve));
  const engine = engineOn(options);
  const lock = await engine.lock(holder());
  await dropped;
  const waiting = client(serving);
  await swapIn(engine, await candidateWith(engine, "new"));
  await lock.release();
  expect((await (await waiting).query("select x from t")).rows).toEqual([{ x: "new" }]);
  expect(events.map((event) => event.type)).toEqual(["serving", "yielded", "serving"]);
});

test("a command that only reads does so between the clients, and disturbs nobody", async () => {
  const options = await databaseOf("shared");
  const events: ServeEvent[] = [];
  const serving = await served(options, events);
  const other = await client(serving);
  const engine = engineOn(options);
  expect(await liveText(engine)).toBe("shared");
  const live = await engine.liveRef();
  if (live === null) throw new Error("live is gone");
  await within(engine, live, async (session) => {
    expect((await engine.catalog(session)).tables.map(({ name }) => name)).toEqual(["t"]);
    expect((await collect(session.copyOut("copy t to stdout"))).toString()).toBe("1\tshared\n");
  });
  expect((await other.query("select 1 as here")).rows).toEqual([{ here: 1 }]);
  expect(events.map((event) => event.type)).toEqual(["serving"]);
  await serving.close();
  expect(await liveText(engine)).toBe("shared");
});

test("a served database is named to those who may not have it: another serve, and an application", async () => {
  const options = await databaseOf("one");
  const serving = await served(options);
  await expect(served(options)).rejects.toMatchObject({
    code: "REPLANT_LOCKED",
    message: expect.stringContaining(`"serve" (process ${process.pid}`),
  });
  await expect(
    serveEmbedded({ ...freshOptions(), run: runId(), port: serving.port, onEvent: () => undefined }),
  ).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED", message: `port ${serving.port} is in use` });
  await expect(served(freshOptions())).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  await serving.close();
  await serving.close();
  await expect(serving.ended).resolves.toBeUndefined();
  await expect(client(serving)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const live = await engineOn(options).liveRef();
  const application = startChild("application", join(options.directory, "g", live?.name ?? ""));
  await application.line();
  await expect(served(options)).rejects.toMatchObject({
    code: "REPLANT_LOCKED",
    message: expect.stringContaining(`process ${application.pid} (`),
  });
});

test("a reset that is killed after the hand-over gives the database back", async () => {
  const options = await databaseOf("start");
  const events: ServeEvent[] = [];
  const serving = await served(options, events);
  for (let round = 0; round < 3; round += 1) {
    const swapper = startChild("swapper", options.directory, options.cacheDirectory, runId());
    const newest = await swapper.line();
    await swapper.kill();
    const back = await client(serving);
    const { rows } = await back.query(
      "select count(*)::int as rows, count(distinct x)::int as texts, min(x) as x from t",
    );
    expect(rows).toEqual([{ rows: 500, texts: 1, x: expect.stringContaining(newest.slice(0, -1)) }]);
    await back.end();
  }
  expect(events.filter((event) => event.type === "yielded")).toHaveLength(3);
  expect(events.filter((event) => event.type === "serving")).toHaveLength(4);
});

test("a serve that is killed blocks nobody", async () => {
  const options = await databaseOf("survivor");
  const server = startChild("server", options.directory, options.cacheDirectory);
  const port = Number(await server.line());
  const engine = engineOn(options);
  const connected = new Client({ host: "127.0.0.1", port, user: "anybody", database: "app" });
  connected.on("error", () => undefined);
  await connected.connect();
  await connected.query("insert into t values (2, 'through the socket')");
  expect((await engine.probe()).sessions).toMatchObject([{ pid: server.pid, application: "replant serve" }]);
  await server.kill();
  const lock = await engine.lock(holder());
  const live = await engine.liveRef();
  if (live === null) throw new Error("live is gone");
  expect(await within(engine, live, (session) => session.query("select id from t order by id"))).toEqual([
    { id: 1 },
    { id: 2 },
  ]);
  await lock.release();
});

test("a project in a deep directory is served and handed over like any other", async () => {
  const plain = freshOptions();
  const options = { ...plain, directory: join(plain.directory, "deep".repeat(20), "deeper".repeat(10)) };
  const engine = engineOn(options);
  await liveWith(engine, "deep");
  await engine.close();
  const events: ServeEvent[] = [];
  await served(options, events);
  await (await engine.lock(holder())).release();
  expect(events.map((event) => event.type).slice(0, 2)).toEqual(["serving", "yielded"]);
});

test("a client's large request, torn into pieces, and a request that fails half-way, leave the connection usable", async () => {
  const serving = await served(await databaseOf("wire"));
  const connected = await client(serving);
  const large = "x".repeat(3_000_000);
  const { rows } = await connected.query("select length($1::text) as length, $1::text as same", [large]);
  expect(rows).toEqual([{ length: large.length, same: large }]);
  await expect(connected.query("select $1::int", ["not a number"])).rejects.toMatchObject({ code: "22P02" });
  await expect(connected.query("begin; insert into t values (1, 'again')")).rejects.toMatchObject({ code: "23505" });
  await connected.query("rollback");
  expect((await connected.query("select count(*)::int as n from t")).rows).toEqual([{ n: 1 }]);
  const raw = connect(serving.port, "127.0.0.1");
  raw.write("GET / HTTP/1.1\r\n\r\n");
  await once(raw, "close");
  expect((await connected.query("select 1 as alive")).rows).toEqual([{ alive: 1 }]);
});
