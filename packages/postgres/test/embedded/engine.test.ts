import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isReplantError, ReplantError } from "@replant/core";
import { expect, test } from "vitest";
import { emptyDirectory } from "../../src/embedded/empty.ts";
import {
  candidateWith,
  engineOn,
  freshOptions,
  holder,
  liveText,
  liveWith,
  newDatabase,
  ownDatabases,
  runId,
  sealed,
  swapIn,
  within,
} from "./workbench.ts";

test("an unborn database becomes live by the first swap, is swapped, and undone", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const unborn = await engine.probe();
  expect(unborn).toMatchObject({ live: null, serverMajor: 18, encoding: "UTF8", sizeBytes: 0 });
  const lock = await engine.lock(holder());
  const first = await liveWith(engine, "first");
  expect(await liveText(engine)).toBe("first");
  const second = await candidateWith(engine, "second");
  expect((await ownDatabases(engine)).map(({ id, role }) => ({ id, role }))).toEqual([
    { id: second.id, role: "candidate" },
  ]);
  expect(await swapIn(engine, second)).toEqual(first);
  expect(await liveText(engine)).toBe("second");
  expect((await ownDatabases(engine)).map(({ id, role }) => ({ id, role }))).toEqual([
    { id: first.id, role: "previous" },
  ]);
  const before = await engine.probe();
  expect(before.live).toEqual(second);
  expect(before.sizeBytes).toBeGreaterThan(1_000_000);
  await swapIn(engine, first);
  expect(await liveText(engine)).toBe("first");
  expect((await engine.probe()).systemIdentifier).toBe(before.systemIdentifier);
  await lock.release();
});

test("a sealed baseline is cloned, cannot be connected to, and is gone after its drop", async () => {
  const engine = engineOn(freshOptions());
  const lock = await engine.lock(holder());
  const building = await engine.create(newDatabase("building"));
  await within(engine, building, (session) =>
    session.script("create table t (id int, x text); insert into t values (1, 'base')"),
  );
  const baseline = await sealed(engine, building);
  expect(baseline.id).toBe(building.id);
  const mine = (await engine.managed()).filter(({ id }) => id === baseline.id);
  expect(mine).toEqual([
    expect.objectContaining({
      ...baseline,
      role: "baseline",
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      live: "app",
    }),
  ]);
  await expect(engine.connect(baseline)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  const candidate = await engine.clone(baseline, newDatabase("candidate"));
  await within(engine, candidate, (session) => session.script("insert into t values (2, 'own')"));
  await swapIn(engine, candidate);
  const again = await engine.clone(baseline, newDatabase("candidate"));
  expect(await within(engine, again, (session) => session.query("select id from t"))).toEqual([{ id: 1 }]);
  await engine.drop(baseline);
  await engine.drop(baseline);
  await expect(engine.clone(baseline, newDatabase("candidate"))).rejects.toMatchObject({
    code: "REPLANT_CONNECTION_FAILED",
  });
  await lock.release();
});

test("the fence reads live inside a transaction, and the swap takes the database's own properties along", async () => {
  const engine = engineOn(freshOptions());
  const lock = await engine.lock(holder());
  const live = await liveWith(engine, "old");
  await within(engine, live, (session) =>
    session.script(`alter database postgres set search_path = app, public;
      alter database postgres set work_mem = '7MB';
      comment on database postgres is 'it''s ours'`),
  );
  const candidate = await candidateWith(engine, "new");
  await within(engine, candidate, (session) =>
    session.script("alter database postgres set work_mem = '1MB'; alter database postgres set jit = off"),
  );
  const fence = await engine.fence(live, [{ schema: "public", name: "t" }]);
  expect(await fence.session.query("select x from t")).toEqual([{ x: "old" }]);
  const swapped = await engine.swap({ candidate, live, fence, run: runId(), at: "2026-11-21T10:15:00.000Z" });
  expect(swapped).toEqual({ previous: live, endedSessions: 0 });
  await fence.release();
  const [previous] = await ownDatabases(engine);
  expect(previous).toMatchObject({ ...live, role: "previous", createdAt: "2026-11-21T10:15:00.000Z" });
  expect(await liveText(engine)).toBe("new");
  const [row] = await within(engine, candidate, (session) =>
    session.query(`select (select array_agg(c order by c) from pg_db_role_setting s, unnest(s.setconfig) c) as settings,
      shobj_description(oid, 'pg_database') as comment from pg_database where datname = current_database()`),
  );
  expect(row).toEqual({ settings: ["jit=off", "search_path=app, public", "work_mem=7MB"], comment: "it's ours" });
  await lock.release();
});

test("a swap is refused when live is not what was inspected, and live is never dropped", async () => {
  const engine = engineOn(freshOptions());
  const live = await liveWith(engine, "mine");
  const candidate = await candidateWith(engine, "theirs");
  const request = { candidate, fence: null, run: runId(), at: "" };
  for (const inspected of [null, { ...live, id: "another" }]) {
    await expect(engine.swap({ ...request, live: inspected })).rejects.toMatchObject({ code: "REPLANT_SWAP_FAILED" });
  }
  const open = await engine.connect(candidate);
  await expect(engine.swap({ ...request, live })).rejects.toThrow("still has a session");
  await open.close();
  await expect(engine.drop(live)).rejects.toThrow("is live");
  await engine.drop({ name: "../../etc", id: "x" });
  expect(await engine.liveRef()).toEqual(live);
});

test("a candidate that the machine's stop left half on the disk is not used", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const live = await liveWith(engine, "safe");
  const candidate = await engine.create(newDatabase("candidate"));
  const path = join(options.directory, "g", `${candidate.name}.json`);
  const mark = JSON.parse(Buffer.from((await options.files.read(path)) ?? []).toString("utf8"));
  await options.files.writeAtomic(path, Buffer.from(JSON.stringify({ ...mark, volatileSince: "the boot before" })));
  await expect(engine.connect(candidate)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  await options.files.writeAtomic(path, Buffer.from(JSON.stringify({ ...mark, complete: false })));
  expect((await ownDatabases(engine)).map(({ id, role }) => ({ id, role }))).toEqual([
    { id: candidate.id, role: "building" },
  ]);
  await expect(engine.connect(candidate)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  expect(await engine.liveRef()).toEqual(live);
});

test("a data directory of another major version is refused by name, before anything opens it", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const live = await liveWith(engine, "new");
  writeFileSync(join(options.directory, "g", live.name, "PG_VERSION"), "17\n");
  const refused = {
    code: "REPLANT_EMBEDDED_VERSION",
    message: "the embedded database was written by PostgreSQL 17, not 18",
  };
  await expect(engine.probe()).rejects.toMatchObject(refused);
  await expect(engine.connect(live)).rejects.toMatchObject(refused);
  await expect(engine.connect(live)).rejects.toMatchObject({
    details: { hint: expect.stringContaining("replant restore latest") },
  });
});

test("a pointer that somebody edited is refused, not guessed", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  await liveWith(engine, "x");
  writeFileSync(join(options.directory, "current.json"), '{"format":1,"live":{"name":"x"},"previous":[]}');
  await expect(engine.liveRef()).rejects.toMatchObject({
    code: "REPLANT_CONNECTION_FAILED",
    message: expect.stringContaining("current.json"),
  });
});

test("the empty directory is made once, and what a killed initdb left is cleared away", async () => {
  const { files, directory, cacheDirectory } = freshOptions();
  const cache = join(directory, "cache");
  mkdirSync(join(cache, "empty-0.5.16-aa.999999999.tmp"), { recursive: true });
  const made = await emptyDirectory(files, cache);
  expect(await emptyDirectory(files, cache)).toEqual(made);
  expect((await files.list(cache)).filter(({ name }) => name.includes(".tmp"))).toEqual([]);
  expect(made.server).toEqual((await emptyDirectory(files, cacheDirectory)).server);
  expect(made.server).toMatchObject({ major: 18, encoding: "UTF8", collation: "C" });
});

test("an extension that a migration creates works in every clone, and is told of live", async () => {
  const engine = engineOn(freshOptions());
  const lock = await engine.lock(holder());
  const building = await engine.create(newDatabase("building"));
  await within(engine, building, (session) =>
    session.script(`create extension "uuid-ossp"; create extension citext; create table t (id uuid default uuid_generate_v4(), x citext);
      insert into t (x) values ('Case')`),
  );
  const baseline = await sealed(engine, building);
  const candidate = await engine.clone(baseline, newDatabase("candidate"));
  await within(engine, candidate, (session) => session.script("insert into t (x) values ('second')"));
  await swapIn(engine, candidate);
  const found = await within(engine, candidate, (session) =>
    session.query("select x::text as x, length(uuid_generate_v4()::text) as length from t where x = 'case'"),
  );
  expect(found).toEqual([{ x: "Case", length: 36 }]);
  expect((await engine.probe()).extensions.map((label) => label.split(" ")[0])).toEqual([
    "citext",
    "plpgsql",
    "uuid-ossp",
  ]);
  await lock.release();
});

test("a data directory that does not start is named, with the way back", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const live = await liveWith(engine, "broken");
  await options.files.remove(join(options.directory, "g", live.name, "global", "pg_control"));
  await expect(engine.connect(live)).rejects.toMatchObject({
    code: "REPLANT_CONNECTION_FAILED",
    message: "the embedded database does not start",
    details: { hint: expect.stringContaining("replant undo") },
  });
  await expect(engine.connect(live)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
});

test("a pointer that cannot be written leaves live; one that was written is never reported as not written", async () => {
  const options = freshOptions();
  const { files } = options;
  const failing = { before: false, after: false };
  const engine = engineOn({
    ...options,
    files: {
      ...files,
      writeAtomic: async (path, bytes) => {
        const chosen = path.endsWith("current.json");
        if (chosen && failing.before) throw new ReplantError("REPLANT_DISK_FULL", "no space");
        await files.writeAtomic(path, bytes);
        if (chosen && failing.after) throw new ReplantError("REPLANT_DISK_FULL", "no space");
      },
    },
  });
  const live = await liveWith(engine, "old");
  const candidate = await candidateWith(engine, "new");
  failing.before = true;
  await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_DISK_FULL" });
  expect(await engine.liveRef()).toEqual(live);
  failing.before = false;
  failing.after = true;
  const doubtful = await swapIn(engine, candidate).catch((error: unknown) => error);
  expect(isReplantError(doubtful)).toBe(false);
  expect(await engine.liveRef()).toEqual(candidate);
  expect(await liveText(engine)).toBe("new");
});
