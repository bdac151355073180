import type { Engine, SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { createDatabase, tempDir } from "@replant/testkit";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { openEmbedded } from "../../src/embedded/index.ts";
import { openSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/url.ts";

/** Two databases of one engine: what is live, and what is to become it. */
export interface Pair {
  readonly live: SqlSession;
  readonly candidate: SqlSession;
}

/** Runs SQL in two empty databases and gives their sessions. */
export type Prepare = (live: string, candidate: string) => Promise<Pair>;

/** A list of cases that hold on every engine. */
export type Cases = (prepared: Prepare) => void;

function preparing(open: () => Promise<Pair>): Prepare {
  return async (live, candidate) => {
    const pair = await open();
    await pair.live.script(live);
    await pair.candidate.script(candidate);
    return pair;
  };
}

/** Runs the cases on each major version of the server. */
export function onServers(name: string, cases: readonly Cases[]): void {
  describe.each([15, 18] as const)(`${name} on PostgreSQL %i`, (major) => {
    const prepared = preparing(async () => {
      const databases = [await createDatabase(major), await createDatabase(major)];
      const [live, candidate] = await Promise.all(
        databases.map(({ url, name }) =>
          openSession(parseServerUrl(url), { database: name, applicationName: "replant" }),
        ),
      );
      if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
      onTestFinished(async () => {
        await live.close();
        await candidate.close();
        for (const database of databases) await database.drop();
      });
      return { live, candidate };
    });
    for (const list of cases) list(prepared);
  });
}

/** Runs the cases on the embedded engine; one for all, because its first empty directory is what takes long. */
export function onEmbedded(name: string, cases: readonly Cases[]): void {
  describe(`${name} on the embedded engine`, () => {
    let engine: Engine;
    beforeAll(async () => {
      const directory = await tempDir();
      engine = openEmbedded({
        directory: `${directory}/pg`,
        name: "app",
        files: nodeFiles(),
        cacheDirectory: `${directory}/cache`,
      });
    });
    afterAll(() => engine.close());
    const prepared = preparing(async () => {
      const mark = { role: "building" as const, run: "r", fingerprint: null, createdAt: "2026-01-01T00:00:00.000Z" };
      const databases = [await engine.create(mark), await engine.create(mark)];
      const [live, candidate] = await Promise.all(databases.map((database) => engine.connect(database)));
      if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
      onTestFinished(async () => {
        await live.close();
        await candidate.close();
        for (const database of databases) await engine.drop(database);
      });
      return { live, candidate };
    });
    for (const list of cases) list(prepared);
  });
}
