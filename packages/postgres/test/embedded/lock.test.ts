import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { isReplantError } from "@replant/core";
import { expect, test } from "vitest";
import { startChild, type Child } from "./child.ts";
import {
  candidateWith,
  engineOn,
  freshOptions,
  holder,
  liveText,
  liveWith,
  newDatabase,
  runId,
  swapIn,
} from "./workbench.ts";

test("over thirty kills there is always one holder and never two", async () => {
  const { directory } = freshOptions();
  const contenders = new Set<Child>();
  const add = (): void => void contenders.add(startChild("contender", directory, runId()));
  add();
  add();
  add();
  for (let round = 0; round < 30; round += 1) {
    const waiting = [...contenders].filter((child) => child.lines.length === 0);
    if (waiting.length === contenders.size) await Promise.race(waiting.map((child) => child.line()));
    const holders = [...contenders].filter((child) => child.lines.length > 0);
    expect(holders).toHaveLength(1);
    for (const found of holders) {
      expect(JSON.parse(readFileSync(join(directory, "lock.json"), "utf8"))).toMatchObject({ pid: found.pid });
      contenders.delete(found);
      add();
      await found.kill();
    }
  }
});

test("a second run is told who holds the lock, and gets it when that one is done", async () => {
  const options = freshOptions();
  const [first, second] = [engineOn(options), engineOn(options)];
  const mine = holder("seed");
  const lock = await first.lock(mine);
  await expect(second.lock(holder())).rejects.toMatchObject({
    code: "REPLANT_LOCKED",
    message: expect.stringContaining(`"seed" (process ${process.pid}`),
    details: { items: expect.arrayContaining([`run ${mine.run}`]) },
  });
  await lock.assertHeld();
  await lock.release();
  await lock.release();
  await expect(lock.assertHeld()).rejects.toMatchObject({ code: "REPLANT_LOCKED" });
  await (await second.lock(holder())).release();
});

test("a lock whose file was taken away is noticed before the swap", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const lock = await engine.lock(holder());
  await liveWith(engine, "before");
  const candidate = await candidateWith(engine, "after");
  renameSync(join(options.directory, "lock.db"), join(options.directory, "elsewhere.db"));
  await expect(lock.assertHeld()).rejects.toMatchObject({ code: "REPLANT_LOCKED" });
  await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_LOCKED" });
  expect(await liveText(engine)).toBe("before");
});

test("an application that opened live by itself is named, wherever that would cost its writes", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const live = await liveWith(engine, "used");
  const application = startChild("application", join(options.directory, "g", live.name));
  await application.line();
  const named = { message: expect.stringContaining(`process ${application.pid} (`) };
  await expect(engine.lock(holder())).rejects.toMatchObject({ code: "REPLANT_LOCKED", ...named });
  await expect(engine.connect(live)).rejects.toMatchObject({ code: "REPLANT_LOCKED", ...named });
  await expect(engine.fence(live, [])).rejects.toMatchObject({ code: "REPLANT_FENCE_BLOCKED", ...named });
  const candidate = await engine.create(newDatabase("candidate"));
  await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_SWAP_FAILED", ...named });
  expect((await engine.probe()).sessions.map((session) => session.pid)).toEqual([application.pid]);
  expect(await engine.liveRef()).toEqual(live);
  await application.kill();
  expect(await liveText(engine)).toBe("used");
});

test("a database that another process writes to cannot be opened, and can once that process is dead", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const live = await liveWith(engine, "mine");
  await engine.close();
  const writer = startChild("writer", options.directory, options.cacheDirectory);
  await writer.line();
  const refused = await engine.connect(live).catch((error: unknown) => error);
  expect(isReplantError(refused) && refused.code).toBe("REPLANT_LOCKED");
  expect(refused).toMatchObject({ message: expect.stringContaining(`"write" (process ${writer.pid}`) });
  await writer.kill();
  expect(await liveText(engine)).toBe("mine");
});

test("two commands that only read wait for each other", async () => {
  const options = freshOptions();
  const [one, other] = [engineOn(options), engineOn(options)];
  const live = await liveWith(one, "read");
  await one.close();
  const first = await one.connect(live);
  const second = liveText(other);
  expect(await first.query("select x from t")).toEqual([{ x: "read" }]);
  await first.close();
  expect(await second).toBe("read");
});
