import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startChild } from "./child.ts";
import { engineOn, freshOptions, holder, liveWith, ownDatabases, runId, within } from "./workbench.ts";

test("a writer killed at any moment has lost no row that it was told is committed", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const live = await liveWith(engine, "start");
  await engine.close();
  let acknowledged = 0;
  for (let round = 0; round < 4; round += 1) {
    const writer = startChild("writer", options.directory, options.cacheDirectory);
    await writer.line();
    await sleep(round * 37);
    await writer.kill();
    acknowledged = writer.lines.length;
    await within(engine, live, async (session) => {
      const [row] = await session.query<{ ids: string }>("select count(*) as ids from t where id >= 1000");
      expect(Number(row?.ids)).toBeGreaterThanOrEqual(acknowledged);
      await session.script("delete from t where id >= 1000");
    });
  }
  expect(acknowledged).toBeGreaterThan(0);
});

test("a run killed at any moment of its swaps leaves a complete live database, and nothing that cannot be dropped", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  await liveWith(engine, "start");
  await engine.close();
  for (let round = 0; round < 6; round += 1) {
    const swapper = startChild("swapper", options.directory, options.cacheDirectory, runId());
    await swapper.line();
    await sleep(round * 131);
    await swapper.kill();
    const lock = await engine.lock(holder());
    const live = await engine.liveRef();
    if (live === null) throw new Error("live is gone");
    await within(engine, live, async (session) => {
      const [row] = await session.query(
        "select count(*)::int as rows, count(distinct x)::int as texts, min(x) as x from t",
      );
      expect(row).toEqual({ rows: 500, texts: 1, x: expect.anything() });
      const newest = swapper.lines.at(-1);
      const next = newest?.replace(/\d+$/, (number) => String(Number(number) + 1));
      expect([newest, next]).toContain(row?.["x"]);
    });
    for (const left of await ownDatabases(engine)) await engine.drop(left);
    expect(await ownDatabases(engine)).toEqual([]);
    await lock.release();
    expect((await options.files.list(`${options.directory}/g`)).map((entry) => entry.name)).toEqual([
      live.name,
      `${live.name}.json`,
    ]);
  }
});
