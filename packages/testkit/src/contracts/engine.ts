import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { DatabaseRef, Engine, LockHolder, NewDatabase, SqlSession, SwapResult } from "@replant/core";
import { isReplantError } from "@replant/core";
import { describe, expect, onTestFinished, test } from "vitest";

/** Where one live database is, or will be: any number of engines can be opened on it, as if each were another process. */
export interface EnginePlace {
  readonly open: () => Engine;
}

/**
 * What `Engine` promises, as tests. `place` gives a new place without a live database; what is left of it when the test has
 * finished is the caller's to remove, but for the baselines, which every test drops itself.
 */
export function engineContract(name: string, place: () => Promise<EnginePlace>): void {
  /** An engine on a new place, holding its lock, with a live database that holds this text. */
  async function engineWith(text: string): Promise<Engine> {
    const engine = await lockedEngine(place);
    await swapIn(engine, await candidateWith(engine, text));
    return engine;
  }

  describe(`${name}: the contract of engines`, () => {
    describe("live", () => {
      test("is absent at first; the first swap makes it", async () => {
        const engine = await lockedEngine(place);
        expect(await engine.liveRef()).toBeNull();
        const unborn = await engine.probe();
        expect(unborn).toMatchObject({
          engine: engine.kind,
          database: engine.database,
          live: null,
          local: true,
          encoding: "UTF8",
          sizeBytes: 0,
          sessions: [],
          swapBlockers: [],
          environment: null,
        });
        expect(unborn.serverMajor).toBe(Number.parseInt(unborn.serverVersion, 10));
        const candidate = await candidateWith(engine, "first");
        expect(await swapIn(engine, candidate)).toEqual({ previous: null, endedSessions: 0 });
        expect((await engine.liveRef())?.id).toBe(candidate.id);
        expect(await liveText(engine)).toBe("first");
        const facts = await engine.probe();
        expect(facts.live).toEqual(await engine.liveRef());
        expect(facts.sizeBytes).toBeGreaterThan(1_000_000);
        expect(facts.systemIdentifier).not.toBe("");
        expect(await ownDatabases(engine)).toEqual([]);
      });

      test("shows the mark inside the database as its environment", async () => {
        const engine = await engineWith("first");
        await withLive(engine, (session) =>
          session.script(
            "create schema replant; create table replant.mark (environment text); insert into replant.mark values ('production')",
          ),
        );
        expect((await engine.probe()).environment).toBe("production");
      });

      test("has the user's tables as its catalog", async () => {
        const engine = await engineWith("first");
        const catalog = await withLive(engine, async (session) => {
          await session.script(
            "create schema replant; create table replant.mark (environment text); create schema s; create table s.u (id int)",
          );
          return engine.catalog(session);
        });
        expect(catalog.tables.map((table) => `${table.schema}.${table.name}`)).toEqual(["public.t", "s.u"]);
      });
    });

    describe("a swap", () => {
      test("replaces live and keeps it as previous; swapping that back is undo, and can be undone", async () => {
        const engine = await engineWith("first");
        const first = await engine.liveRef();
        const second = await candidateWith(engine, "second");
        const at = "2026-11-21T10:15:00.123Z";
        const { previous } = await engine.swap({ candidate: second, live: first, fence: null, run: "run-2", at });
        expect(previous?.id).toBe(first?.id);
        expect(await liveText(engine)).toBe("second");
        expect(await ownDatabases(engine)).toMatchObject([
          { ...previous, role: "previous", live: engine.database, run: "run-2", createdAt: at },
        ]);
        const undone = await swapIn(engine, previous!);
        expect(undone.previous?.id).toBe(second.id);
        expect(await liveText(engine)).toBe("first");
        expect((await ownDatabases(engine)).map(({ id, role }) => ({ id, role }))).toEqual([
          { id: second.id, role: "previous" },
        ]);
        await swapIn(engine, undone.previous!);
        expect(await liveText(engine)).toBe("second");
      });

      test("is refused when live is not the database that was inspected, and changes nothing", async () => {
        const engine = await engineWith("first");
        const inspected = await engine.liveRef();
        await swapIn(engine, await candidateWith(engine, "second"));
        const candidate = await candidateWith(engine, "third");
        for (const live of [inspected, null]) {
          await expect(engine.swap({ candidate, live, fence: null, run: runId(), at: now() })).rejects.toMatchObject({
            code: "REPLANT_SWAP_FAILED",
          });
        }
        expect(await liveText(engine)).toBe("second");
        expect((await ownDatabases(engine)).map(({ role }) => role).sort()).toEqual(["candidate", "previous"]);
        await swapIn(engine, candidate);
        expect(await liveText(engine)).toBe("third");
      });

      test("is refused when the candidate has gone", async () => {
        const engine = await engineWith("first");
        const candidate = await candidateWith(engine, "second");
        await engine.drop(candidate);
        const live = await engine.liveRef();
        await expect(engine.swap({ candidate, live, fence: null, run: runId(), at: now() })).rejects.toThrow(
          candidate.name,
        );
        expect(await engine.liveRef()).toEqual(live);
        expect(await liveText(engine)).toBe("first");
      });
    });

    describe("a fence", () => {
      const t = { schema: "public", name: "t" };

      test("is a session inside a transaction on live, and may be released twice", async () => {
        const engine = await engineWith("first");
        const live = (await engine.liveRef())!;
        for (const tables of [[t], []]) {
          const fence = await engine.fence(live, tables);
          expect(await fence.session.query("select x from t")).toEqual([{ x: "first" }]);
          const [begun] = await fence.session.query("select now()::text as at");
          expect(await fence.session.query("select now()::text as at")).toEqual([begun]);
          await fence.release();
          await fence.release();
        }
        await withLive(engine, (session) => session.script("update t set x = 'written'"));
        expect(await liveText(engine)).toBe("written");
      });

      test("is lifted by the swap", async () => {
        const engine = await engineWith("first");
        const candidate = await candidateWith(engine, "second");
        const live = (await engine.liveRef())!;
        const fence = await engine.fence(live, [t]);
        expect(await fence.session.query("select x from t")).toEqual([{ x: "first" }]);
        const { previous } = await engine.swap({ candidate, live, fence, run: runId(), at: now() });
        await fence.release();
        expect(previous?.id).toBe(live.id);
        expect(await liveText(engine)).toBe("second");
      });
    });

    describe("a baseline", () => {
      test("is sealed once, cloned often, and the clones are apart from it and from each other", async () => {
        const engine = await lockedEngine(place);
        const fingerprint = newFingerprint();
        const building = await filled(
          engine,
          await engine.create({ ...newDatabase("building"), fingerprint }),
          "seeded",
        );
        expect((await ownDatabases(engine)).map(({ id, role }) => ({ id, role }))).toEqual([
          { id: building.id, role: "building" },
        ]);
        const baseline = await engine.seal(building, fingerprint);
        expect(await baselinesOf(engine, fingerprint)).toMatchObject([{ ...baseline, role: "baseline", fingerprint }]);
        expect(await ownDatabases(engine)).toEqual([]);
        const clones = [
          await engine.clone(baseline, { ...newDatabase("candidate"), fingerprint }),
          await engine.clone(baseline, { ...newDatabase("candidate"), fingerprint }),
        ];
        expect(new Set([baseline.id, ...clones.map(({ id }) => id)]).size).toBe(3);
        await within(engine, clones[0]!, (session) => session.script("update t set x = 'changed'"));
        expect(await textOf(engine, clones[0]!)).toBe("changed");
        expect(await textOf(engine, clones[1]!)).toBe("seeded");
        expect(await textOf(engine, await engine.clone(baseline, newDatabase("candidate")))).toBe("seeded");
      });

      test("may be there already: whichever comes back can be cloned", async () => {
        const engine = await lockedEngine(place);
        const fingerprint = newFingerprint();
        for (const text of ["built", "built"]) {
          const building = await filled(engine, await engine.create(newDatabase("building")), text);
          const baseline = await engine.seal(building, fingerprint);
          expect(await ownDatabases(engine)).toEqual([]);
          expect((await baselinesOf(engine, fingerprint)).map(({ id }) => id)).toContain(baseline.id);
          const clone = await engine.clone(baseline, newDatabase("candidate"));
          expect(await textOf(engine, clone)).toBe(text);
          await engine.drop(clone);
        }
      });

      test("takes no connections", async () => {
        const engine = await lockedEngine(place);
        const baseline = await engine.seal(
          await filled(engine, await engine.create(newDatabase("building")), "one"),
          newFingerprint(),
        );
        await expect(engine.connect(baseline)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
      });
    });

    describe("databases of ours", () => {
      test("are listed oldest first, with what their mark says", async () => {
        const engine = await engineWith("first");
        const fingerprint = newFingerprint();
        const older = { role: "candidate", run: runId(), fingerprint, createdAt: "2026-01-01T00:00:00.000Z" } as const;
        const newer = {
          role: "building",
          run: runId(),
          fingerprint: null,
          createdAt: "2026-06-01T00:00:00.000Z",
        } as const;
        const made = [await engine.create(newer), await engine.create(older)].toReversed();
        const listed = await ownDatabases(engine);
        expect(listed).toMatchObject([
          { ...made[0], ...older, live: engine.database },
          { ...made[1], ...newer, live: engine.database },
        ]);
        for (const database of listed) expect(await engine.sizeBytes(database)).toBeGreaterThan(1_000_000);
        expect(await engine.sizeBytes({ name: "gone", id: "1" })).toBe(0);
      });

      test("are dropped by name and id; what has gone is no error; live stays", async () => {
        const engine = await engineWith("first");
        const live = (await engine.liveRef())!;
        const candidate = await candidateWith(engine, "second");
        const gone = await candidateWith(engine, "third");
        await engine.drop(gone);
        await engine.drop(gone);
        await engine.drop({ ...candidate, id: gone.id });
        expect((await ownDatabases(engine)).map(({ id }) => id)).toEqual([candidate.id]);
        await engine.drop(candidate);
        expect(await ownDatabases(engine)).toEqual([]);
        await expect(engine.drop(live)).rejects.toThrow(/live|mark/);
        expect(await liveText(engine)).toBe("first");
      });
    });

    describe("the lock", () => {
      test("names its holder to everybody else, and is free when it is released", async () => {
        const { open } = await place();
        const [one, other] = [closedAfterwards(open()), closedAfterwards(open())];
        const holder = newHolder();
        const lock = await one.lock(holder);
        await lock.assertHeld();
        for (const engine of [other, one]) {
          const refusal: unknown = await engine.lock(newHolder()).catch((error: unknown) => error);
          expect(refusal).toMatchObject({ code: "REPLANT_LOCKED" });
          expect(wordsOf(refusal)).toContain(holder.run);
          expect(wordsOf(refusal)).toContain(String(process.pid));
        }
        await lock.assertHeld();
        await lock.release();
        await expect(lock.assertHeld()).rejects.toMatchObject({ code: "REPLANT_LOCKED" });
        await (await other.lock(newHolder())).release();
        await (await one.lock(newHolder())).release();
      });

      test("goes with the engine that holds it", async () => {
        const { open } = await place();
        const [one, other] = [open(), closedAfterwards(open())];
        await one.lock(newHolder());
        await one.close();
        await one.close();
        const lock = await other.lock(newHolder());
        await expect(lock.assertHeld()).resolves.toBeUndefined();
        await lock.release();
      });
    });

    describe("a session", () => {
      test("takes rows in and out as the server's own text", async () => {
        const engine = await lockedEngine(place);
        const candidate = await engine.create(newDatabase("candidate"));
        const rows = '1\t2026-01-02 03:04:05.123456+00\t1.10\t\\\\x00ff\t{"a": 1.00}\n2\tinfinity\tNaN\t\\N\t[]\n';
        await within(engine, candidate, async (session) => {
          expect(session.database).toBe(candidate.name);
          await session.script("create table v (id int, at timestamptz, n numeric, b bytea, j jsonb)");
          expect(await session.copyIn("copy v from stdin", chunks(rows.slice(0, 30), rows.slice(30)))).toBe(2);
          expect(await copied(session, "copy (select * from v order by id) to stdout")).toBe(rows);
          expect(await session.query("select id, n::text from v where id = $1", [1])).toEqual([{ id: 1, n: "1.10" }]);
        });
      });

      test("throws the server's errors and goes on", async () => {
        const engine = await lockedEngine(place);
        const candidate = await engine.create(newDatabase("candidate"));
        await within(engine, candidate, async (session) => {
          await session.script("create table v (id int)");
          await expect(session.query("select 1/0")).rejects.toMatchObject({ code: "22012" });
          await expect(session.query("select 1; select 2")).rejects.toMatchObject({ code: "42601" });
          await expect(session.script("insert into v values (1); select 1/0")).rejects.toMatchObject({ code: "22012" });
          await expect(session.copyIn("copy v from stdin", chunks("1\n", "x\n"))).rejects.toMatchObject({
            code: "22P02",
          });
          await expect(copied(session, "copy absent to stdout")).rejects.toMatchObject({ code: "42P01" });
          await expect(session.copyIn("copy v from stdin", brokenOff())).rejects.toThrow("broken off");
          expect(await session.query("select count(*)::int as n from v")).toEqual([{ n: 0 }]);
        });
      });

      test("may stop reading a COPY early", async () => {
        const engine = await lockedEngine(place);
        const candidate = await engine.create(newDatabase("candidate"));
        await within(engine, candidate, async (session) => {
          for await (const chunk of session.copyOut(
            "copy (select repeat('x', 1000) from generate_series(1, 20000)) to stdout",
          )) {
            expect(chunk.length).toBeGreaterThan(0);
            break;
          }
          expect(await session.query("select 1 as one")).toEqual([{ one: 1 }]);
        });
      });

      test("rolls back what is open when it closes, and may be closed twice", async () => {
        const engine = await engineWith("first");
        const session = await engine.connect((await engine.liveRef())!);
        await session.script("begin; update t set x = 'never'");
        await session.close();
        await session.close();
        expect(await liveText(engine)).toBe("first");
      });
    });
  });
}

/** Everything that an error shows. */
function wordsOf(error: unknown): string {
  return isReplantError(error) ? JSON.stringify([error.message, error.details]) : String(error);
}

async function lockedEngine(place: () => Promise<EnginePlace>): Promise<Engine> {
  const { open } = await place();
  const engine = closedAfterwards(open());
  await engine.lock(newHolder());
  return engine;
}

const fingerprints = new Set<string>();

/** Drops the baselines of this suite, then closes. */
function closedAfterwards(engine: Engine): Engine {
  onTestFinished(async () => {
    for (const fingerprint of fingerprints) {
      for (const baseline of await baselinesOf(engine, fingerprint)) await engine.drop(baseline);
    }
    await engine.close();
  });
  return engine;
}

function newFingerprint(): string {
  const fingerprint = randomBytes(32).toString("hex");
  fingerprints.add(fingerprint);
  return fingerprint;
}

let runs = 0;

function runId(): string {
  runs += 1;
  return `20261121T101500${String(runs).padStart(3, "0")}Z-${randomBytes(2).toString("hex")}`;
}

function now(): string {
  return new Date().toISOString();
}

function newDatabase(role: NewDatabase["role"]): NewDatabase {
  return { role, run: runId(), fingerprint: null, createdAt: now() };
}

function newHolder(): LockHolder {
  return { run: runId(), command: "reset", pid: process.pid, host: hostname(), since: now() };
}

/** Without baselines, which others on the same server may have too. */
async function ownDatabases(engine: Engine): ReturnType<Engine["managed"]> {
  return (await engine.managed()).filter(({ role }) => role !== "baseline");
}

async function baselinesOf(engine: Engine, fingerprint: string): ReturnType<Engine["managed"]> {
  return (await engine.managed()).filter((found) => found.role === "baseline" && found.fingerprint === fingerprint);
}

async function within<T>(engine: Engine, database: DatabaseRef, work: (session: SqlSession) => Promise<T>): Promise<T> {
  const session = await engine.connect(database);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function withLive<T>(engine: Engine, work: (session: SqlSession) => Promise<T>): Promise<T> {
  return within(engine, (await engine.liveRef())!, work);
}

async function candidateWith(engine: Engine, text: string): Promise<DatabaseRef> {
  return filled(engine, await engine.create(newDatabase("candidate")), text);
}

async function filled(engine: Engine, database: DatabaseRef, text: string): Promise<DatabaseRef> {
  await within(engine, database, async (session) => {
    await session.script("create table t (id int primary key, x text)");
    await session.query("insert into t values (1, $1)", [text]);
  });
  return database;
}

async function swapIn(engine: Engine, candidate: DatabaseRef): Promise<SwapResult> {
  return engine.swap({ candidate, live: await engine.liveRef(), fence: null, run: runId(), at: now() });
}

async function textOf(engine: Engine, database: DatabaseRef): Promise<string | undefined> {
  const [row] = await within(engine, database, (session) => session.query<{ x: string }>("select x from t"));
  return row?.x;
}

async function liveText(engine: Engine): Promise<string | undefined> {
  return textOf(engine, (await engine.liveRef())!);
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* brokenOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("1\n");
  throw new Error("broken off");
}

async function copied(session: SqlSession, sql: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of session.copyOut(sql)) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}
