import { databaseNames, serverUrl, sql } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import {
  application,
  candidateWith,
  disposable,
  freshPlace,
  freshRole,
  livePlace,
  newDatabase,
  newFingerprint,
  quote,
  urlAs,
  within,
} from "./workbench.ts";
import type { DatabaseRef, Engine } from "@replant/core";

async function building(engine: Engine, text: string): Promise<DatabaseRef> {
  const database = await engine.create(newDatabase("building"));
  await within(engine, database, (session) =>
    session.script(`create table t (x text); insert into t values ('${text}')`),
  );
  return database;
}

describe.each([15, 18] as const)("sealing on PostgreSQL %i", (major) => {
  test("two projects may build the same baseline at once", async () => {
    const fingerprint = newFingerprint();
    const engines = await Promise.all([livePlace(major), livePlace(major)]);
    const built = await Promise.all(engines.map(({ engine }) => building(engine, "same")));
    const [one, other] = await Promise.all(engines.map(({ engine }, index) => engine.seal(built[index]!, fingerprint)));
    expect(one).toEqual(other);
    disposable(engines[0].engine, one!);
    expect(one!.name).toBe(`replant_baseline_${fingerprint.slice(0, 16)}`);
    expect(built.map(({ id }) => id)).toContain(one!.id);
    for (const { engine, name } of engines) {
      expect(await databaseNames(major, name)).toEqual([name]);
      const clone = await engine.clone(one!, newDatabase("candidate"));
      expect(await within(engine, clone, (session) => session.query("select x from t"))).toEqual([{ x: "same" }]);
    }
  });

  test("ends the sessions of what built it", async () => {
    const { engine, url } = await livePlace(major);
    const database = await building(engine, "x");
    const left = await application(new URL(`/${database.name}`, url).href);
    const baseline = disposable(engine, await engine.seal(database, newFingerprint()));
    expect(baseline.id).toBe(database.id);
    await expect(left.query("select 1")).rejects.toThrow(/terminat|not queryable/);
  });

  test("is for databases that are being built", async () => {
    const { engine, live } = await livePlace(major);
    const candidate = await candidateWith(engine, "x");
    for (const database of [live, candidate, { name: "absent", id: "1" }]) {
      await expect(engine.seal(database, newFingerprint())).rejects.toThrow("is not a database that is being built");
    }
  });

  test("takes another name where a role whose databases we may not copy has that one", async () => {
    const fingerprint = newFingerprint();
    const server = await serverUrl(major);
    const [ann, bob] = [await freshRole(major, "createdb"), await freshRole(major, "createdb")];
    const engines = [];
    for (const role of [ann, bob]) {
      const place = await freshPlace(major);
      await sql(server, `create database ${quote(place.name)} owner ${role}`);
      engines.push(place.open({ url: urlAs(place.url, role) }));
    }
    const baselines = [];
    for (const engine of engines)
      baselines.push(disposable(engine, await engine.seal(await building(engine, "x"), fingerprint)));
    expect(new Set(baselines.map(({ name }) => name)).size).toBe(2);
    for (const [index, engine] of engines.entries()) {
      const listed = (await engine.managed()).filter((found) => found.fingerprint === fingerprint);
      expect(listed.map(({ id }) => id)).toEqual([baselines[index]!.id]);
      expect((await engine.seal(await building(engine, "again"), fingerprint)).id).toBe(baselines[index]!.id);
      expect((await engine.clone(baselines[index]!, newDatabase("candidate"))).name).toContain("__next_");
    }
  });

  test("replaces a baseline whose drop did not end", async () => {
    const { engine } = await livePlace(major);
    const fingerprint = newFingerprint();
    const old = await engine.seal(await building(engine, "old"), fingerprint);
    await sql(await serverUrl(major), "update pg_database set datconnlimit = -2 where datname = $1", [old.name]);
    expect((await engine.managed()).find(({ id }) => id === old.id)?.role).toBe("building");
    const baseline = disposable(engine, await engine.seal(await building(engine, "new"), fingerprint));
    expect(baseline.name).toBe(old.name);
    expect(baseline.id).not.toBe(old.id);
  });
});
