import { expect, test } from "vitest";
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
  within,
} from "./workbench.ts";

test("an unborn database becomes live by the first swap, is swapped, and undone", async () => {
  const options = freshOptions();
  const engine = engineOn(options);
  const unborn = await engine.probe();
  expect(unborn).toMatchObject({ live: null, serverMajor: 18, encoding: "UTF8", sizeBytes: 0 });
  const lock = await engine.lock(holder());
  const first = await liveWith(engine, "first");
  expect(await liveText(engine)).toBe("first");
  const second = await candidateWith(engine, "second");
  expect((await engine.managed()).map(({ id, role }) => ({ id, role }))).toEqual([
    { id: second.id, role: "candidate" },
  ]);
  expect(await swapIn(engine, second)).toEqual(first);
  expect(await liveText(engine)).toBe("second");
  expect((await engine.managed()).map(({ id, role }) => ({ id, role }))).toEqual([{ id: first.id, role: "previous" }]);
  const before = await engine.probe();
  expect(before.live).toEqual(second);
  expect(before.sizeBytes).toBeGreaterThan(1_000_000);
  await swapIn(engine, first);
  expect(await liveText(engine)).toBe("first");
  expect((await engine.probe()).systemIdentifier).toBe(before.systemIdentifier);
  await lock.release();
});
