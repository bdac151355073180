import { expect, onTestFinished, test } from "vitest";
import { Client } from "pg";
import { serveEmbedded, type EmbeddedOptions, type ServeEvent, type Serving } from "../../src/embedded/index.ts";
import { candidateWith, engineOn, freshOptions, holder, liveWith, runId, swapIn } from "./workbench.ts";

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
