import type { DatabaseRef, Engine, SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { createDatabase, imageDirectory, tempDir } from "@replant/testkit";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { openEmbedded } from "../../src/embedded/index.ts";
import { openSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/url.ts";

/** Sessions on as many empty databases, which go with the test. */
export type OpenSessions = (count: number) => Promise<SqlSession[]>;

export function serverSessions(major: 15 | 18): OpenSessions {
  return async (count) => {
    const databases = await Promise.all(Array.from({ length: count }, () => createDatabase(major)));
    const sessions = await Promise.all(
      databases.map(({ url, name }) =>
        openSession(parseServerUrl(url), { database: name, applicationName: "replant" }),
      ),
    );
    onTestFinished(async () => {
      for (const session of sessions) await session.close();
      for (const database of databases) await database.drop();
    });
    return sessions;
  };
}

/** Call it inside a `describe`: one engine serves all its tests, for the first empty directory is what takes long. */
export function embeddedSessions(): OpenSessions {
  let engine: Engine;
  beforeAll(async () => {
    const directory = await tempDir();
    engine = openEmbedded({
      directory: `${directory}/pg`,
      name: "app",
      files: nodeFiles(),
      cacheDirectory: imageDirectory(),
    });
  });
  afterAll(() => engine.close());
  return async (count) => {
    const mark = { role: "scratch" as const, run: "r", fingerprint: null, createdAt: "2026-01-01T00:00:00.000Z" };
    const databases: DatabaseRef[] = [];
    for (let n = 0; n < count; n += 1) databases.push(await engine.create(mark));
    const sessions = await Promise.all(databases.map((database) => engine.connect(database)));
    onTestFinished(async () => {
      for (const session of sessions) await session.close();
      for (const database of databases) await engine.drop(database);
    });
    return sessions;
  };
}
