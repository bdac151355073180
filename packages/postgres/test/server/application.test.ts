import type { Engine } from "@replant/core";
import { expect, test } from "vitest";
import { connectTo, lastSwapAt, type ServerSession } from "../../src/server/index.ts";
import { candidateWith, livePlace, newDatabase, runId } from "./workbench.ts";

async function within<Value>(url: string, work: (session: ServerSession) => Promise<Value>): Promise<Value> {
  const session = await connectTo(url, "an application");
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

test("an application's session follows the name of live, and knows that a swap has ended it", async () => {
  const { engine, live, url } = await livePlace(18, ` "x"`);
  const session = await connectTo(url, "an application");
  expect(session.alive).toBe(true);
  const candidate = await candidateWith(engine, "candidate");
  await engine.swap({ candidate, live, fence: null, run: runId(), at: new Date().toISOString() });
  await expect(session.query("select 1")).rejects.toThrow(/terminat|not queryable/);
  expect(session.alive).toBe(false);
  await session.close();
  expect(
    await within(url, (session) => session.query("select x, current_setting('application_name') as app from t")),
  ).toEqual([{ x: "candidate", app: "an application" }]);
});

test("the last swap of live is known as long as what was live before is there", async () => {
  const { engine, url } = await livePlace(15);
  const other = await livePlace(15);
  const swap = async (on: { readonly engine: Engine }, at: string) => {
    const candidate = await candidateWith(on.engine, at);
    return on.engine.swap({ candidate, live: await on.engine.liveRef(), fence: null, run: runId(), at });
  };
  const lastSwap = (): Promise<string | null> => within(url, lastSwapAt);
  expect(await lastSwap()).toBeNull();
  await swap(other, "2026-11-23T00:00:00.000Z");
  expect(await lastSwap()).toBeNull();
  await swap({ engine }, "2026-11-21T00:00:00.000Z");
  const { previous } = await swap({ engine }, "2026-11-22T00:00:00.000Z");
  expect(await lastSwap()).toBe("2026-11-22T00:00:00.000Z");
  await engine.create({ ...newDatabase("candidate"), createdAt: "2026-11-23T00:00:00.000Z" });
  expect(await lastSwap()).toBe("2026-11-22T00:00:00.000Z");
  await engine.drop(previous!);
  expect(await lastSwap()).toBe("2026-11-21T00:00:00.000Z");
});
