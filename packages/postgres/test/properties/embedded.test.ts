import { nodeFiles } from "@replant/node";
import { imageDirectory, tempDir } from "@replant/testkit";
import { expect, onTestFinished, test } from "vitest";
import { openEmbedded } from "../../src/embedded/index.ts";
import { checkCases, usualRuns } from "./run.ts";

test("a tenth of the generated cases on the embedded engine", { timeout: 1_800_000 }, async () => {
  const directory = await tempDir();
  const engine = openEmbedded({
    directory: `${directory}/pg`,
    name: "app",
    files: nodeFiles(),
    cacheDirectory: imageDirectory(),
  });
  onTestFinished(() => engine.close());
  const mark = { role: "building" as const, run: "r", fingerprint: null, createdAt: "2026-01-01T00:00:00.000Z" };
  const [live, candidate] = [
    await engine.connect(await engine.create(mark)),
    await engine.connect(await engine.create(mark)),
  ];
  onTestFinished(async () => {
    await live.close();
    await candidate.close();
  });
  const numRuns = Math.ceil(usualRuns / 5);
  expect(await checkCases({ live, candidate }, { numRuns, seed: 3 })).toBe(numRuns);
});
