import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reset } from "@replant/core";
import { openProject } from "@replant/cli";
import { expect, test } from "vitest";
import { keptRows, preparedTarget } from "./target.ts";

const request = {
  mode: "smart",
  seeds: { sets: null, only: null },
  acceptLoss: [],
  replay: true,
  keepFailed: false,
} as const;

test("what fails after the swap never says that live was not changed", async () => {
  const target = await preparedTarget("PostgreSQL 15");
  const before = await keptRows(target);
  const opened = await openProject({ cwd: target.workspace.directory, env: { DATABASE_URL: target.url ?? "" } });
  try {
    const store = { ...opened.ports.store, list: () => Promise.reject(new Error("the disk has gone")) };
    const failing = reset({ ...opened.ports, store }, opened.project, { ...request, authorise: async () => undefined });
    await expect(failing).rejects.toMatchObject({
      code: "REPLANT_INTERNAL",
      details: { state: expect.stringContaining("the new database is live and complete") },
    });
  } finally {
    await opened.close();
  }
  expect(await keptRows(target)).toEqual(before);
  expect((await target.workspace.replant(["undo"])).code).toBe(0);
  expect(await keptRows(target)).toEqual(before);
});

test("a script can do what the command does, and a broken journal directory stops a reset before anything", async () => {
  const target = await preparedTarget("PostgreSQL 15");
  const before = await keptRows(target);
  const runs = join(target.workspace.directory, ".replant/runs");
  await rm(runs, { recursive: true });
  await writeFile(runs, "a file where the journal was");
  const opened = await openProject({ cwd: target.workspace.directory, env: { DATABASE_URL: target.url ?? "" } });
  try {
    await expect(reset(opened.ports, opened.project, { ...request, authorise: async () => undefined })).rejects.toThrow(
      "is not a directory",
    );
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);
    await rm(runs);
    const report = await reset(opened.ports, opened.project, { ...request, authorise: async () => undefined });
    expect(report.carried?.tables.map(({ carried }) => carried).reduce((a, b) => a + b)).toBe(39);
  } finally {
    await opened.close();
  }
});

test("a baseline that another checkout built is used, not built again", async () => {
  const target = await preparedTarget("PostgreSQL 15");
  const baselines = async (): Promise<string[]> => {
    const engine = target.engine();
    const ids = (await engine.managed()).filter(({ role }) => role === "baseline").map(({ id }) => id);
    await engine.close();
    return ids;
  };
  const before = await baselines();
  expect(before.length).toBeGreaterThan(0);
  // What a checkout that has never built one knows of baselines.
  await rm(join(target.workspace.directory, ".replant/baselines"), { recursive: true });
  const result = await target.workspace.replant(["reset", "--json"]);
  expect(result.code, result.stderr).toBe(0);
  expect((JSON.parse(result.stdout) as { seeds: unknown[] }).seeds).toEqual([]);
  for (const id of before) expect(await baselines()).toContain(id);
  expect(await target.leftovers()).toEqual([]);
});
