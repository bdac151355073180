import type { Engine } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { imageDirectory, tempDir } from "@replant/testkit";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { openEmbedded } from "../../src/embedded/index.ts";
import type { Pair } from "./carry-cases.ts";
import { carryCases } from "./carry-cases.ts";

describe("carrying on the embedded engine", () => {
  // One engine for all cases: the first empty directory is what takes long.
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

  carryCases(async (): Promise<Pair> => {
    const mark = { role: "building" as const, run: "r", fingerprint: null, createdAt: "2026-01-01T00:00:00.000Z" };
    const databases = [await engine.create(mark), await engine.create(mark)];
    const sessions = await Promise.all(databases.map((database) => engine.connect(database)));
    const [live, candidate] = sessions;
    if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
    onTestFinished(async () => {
      for (const session of sessions) await session.close();
      for (const database of databases) await engine.drop(database);
    });
    return { live, candidate };
  });
});
