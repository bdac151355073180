import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { DatabaseRef, Engine, SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { openEmbedded } from "@replant/postgres/embedded";
import { openServer } from "@replant/postgres/server";
import type { TestDatabase } from "@replant/testkit";
import { createDatabase, imageDirectory, sql, tempDir } from "@replant/testkit";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { IdentityMapping } from "../../src/index.ts";
import { referenceMapping } from "../../src/index.ts";
import type { PostgresIdentityStore } from "../../src/postgres/index.ts";
import { openIdentityStore } from "../../src/postgres/index.ts";

/** A database of one test. */
export interface Place {
  /** For the test's own statements, while the store does nothing. */
  readonly session: SqlSession;
  readonly connect: () => Promise<SqlSession>;
  readonly sessions: 1 | 2;
}

/** Opens a database in which these scripts have run; it goes with the test. */
export type OpenPlace = (scripts: readonly string[]) => Promise<Place>;

const migrations = new URL("../../../database/prisma/migrations/", import.meta.url);

/** The reference schema, with the tables that identity-sync keeps in it. */
export const referenceScripts: readonly string[] = readdirSync(migrations, { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  .sort((a, b) => (a < b ? -1 : 1))
  .map((name) => readFileSync(new URL(`${name}/migration.sql`, migrations), "utf8"));

export async function openStore(
  { connect, sessions }: Place,
  mapping: IdentityMapping = referenceMapping,
): Promise<PostgresIdentityStore> {
  const store = await openIdentityStore(connect, mapping, { sessions });
  onTestFinished(() => store.close());
  return store;
}

/** Call it inside a `describe`: databases are copies of one in which the scripts ran once. */
export function serverPlaces(major: 15 | 18): OpenPlace {
  const templates = new Map<string, Promise<TestDatabase>>();
  afterAll(async () => {
    for (const template of templates.values()) await (await template).drop();
  });
  const make = async (scripts: readonly string[]): Promise<TestDatabase> => {
    const template = await createDatabase(major);
    for (const script of scripts) await sql(template.url, script);
    return template;
  };
  return async (scripts) => {
    const key = scripts.join("\0");
    const template = templates.get(key) ?? make(scripts);
    templates.set(key, template);
    const database = await createDatabase(major, { copyOf: (await template).name });
    const engine = openServer({ url: database.url });
    onTestFinished(async () => {
      await engine.close();
      await database.drop();
    });
    const live = await engine.liveRef();
    if (live === null) throw new Error("the database is not there");
    const connect = (): Promise<SqlSession> => engine.connect(live);
    return { session: await connect(), connect, sessions: 2 };
  };
}

/** Call it inside a `describe`. The embedded engine gives one session, which the test and the store share. */
export function embeddedPlaces(): OpenPlace {
  let engine: Engine;
  beforeAll(async () => {
    const directory = `${await tempDir()}/pg`;
    engine = openEmbedded({ directory, name: "app", files: nodeFiles(), cacheDirectory: imageDirectory() });
  });
  afterAll(() => engine.close());
  const mark = { run: "r", fingerprint: null, createdAt: "2026-01-01T00:00:00.000Z" } as const;
  const baselines = new Map<string, Promise<DatabaseRef>>();
  const make = async (scripts: readonly string[]): Promise<DatabaseRef> => {
    const building = await engine.create({ ...mark, role: "building" });
    const session = await engine.connect(building);
    for (const script of scripts) await session.script(script);
    await session.close();
    return engine.seal(building, createHash("sha256").update(scripts.join("\0")).digest("hex"));
  };
  return async (scripts) => {
    const key = scripts.join("\0");
    const baseline = baselines.get(key) ?? make(scripts);
    baselines.set(key, baseline);
    const database = await engine.clone(await baseline, { ...mark, role: "scratch" });
    const session = await engine.connect(database);
    onTestFinished(async () => {
      await session.close();
      await engine.drop(database);
    });
    const shared: SqlSession = {
      database: session.database,
      query: (text, params) => session.query(text, params),
      script: (text) => session.script(text),
      copyOut: (text) => session.copyOut(text),
      copyIn: (text, bytes) => session.copyIn(text, bytes),
      close: async () => undefined,
    };
    return { session, connect: async () => shared, sessions: 1 };
  };
}
