import { databaseNames, databaseUrl, killGroup, sql, startNode, startPostgres } from "@replant/testkit";
import type { Engine } from "@replant/core";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { openServer } from "../../src/server/index.ts";
import { candidateWith, livePlace, newHolder, quote, swapIn, textAt, within } from "./workbench.ts";

const child = join(import.meta.dirname, "children", "engine.ts");

/** What must be true after any crash: one of the two databases is live, whole, the other one is previous, and a run can begin. */
async function expectWhole(engine: Engine, ids: readonly string[]): Promise<void> {
  await expect
    .poll(() => engine.lock(newHolder()).then((lock) => lock.release().then(() => "free"), String), { timeout: 30_000 })
    .toBe("free");
  const live = await engine.liveRef();
  expect(ids).toContain(live?.id);
  const [row] = await within(engine, live!, (session) => session.query<{ x: string }>("select x from t"));
  expect(row?.x).toBe(live!.id === ids[0] ? "live" : "new");
  const managed = (await engine.managed()).filter((found) => found.live === engine.database);
  expect(managed.map(({ id, role }) => ({ id, role }))).toEqual([
    { id: ids.find((id) => id !== live?.id), role: "previous" },
  ]);
}

test.each([15, 18] as const)(
  "killing the process in the middle of swaps on PostgreSQL %i leaves one database or the other",
  async (major) => {
    const { engine, name, url, live } = await livePlace(major);
    const candidate = await candidateWith(engine, "new");
    await swapIn(engine, candidate);
    const ids = [live.id, candidate.id];
    for (let round = 0; round < 10; round += 1) {
      const running = startNode(child, ["swap", url], { cwd: import.meta.dirname });
      await expect.poll(() => running.seen().stdout, { timeout: 30_000, interval: 5 }).toContain("swapped");
      await sleep(Math.random() * 150);
      killGroup(running.child);
      expect((await running.done).stderr).toBe("");
      await expectWhole(engine, ids);
      expect(["live", "new"]).toContain(await textAt(url));
    }
    expect(await databaseNames(major, name)).toHaveLength(2);
  },
);

describe.each([15, 18] as const)("killing the server on PostgreSQL %i", (major) => {
  test("in the middle of swaps leaves one database or the other, and the engine goes on", async () => {
    const server = await startPostgres(major);
    onTestFinished(() => server.stop());
    const name = `crash "${major}"`;
    await sql(server.url(), `create database ${quote(name)} template template0`);
    const engine = openServer({ url: databaseUrl(server.url(), name) });
    onTestFinished(() => engine.close());
    const live = (await engine.liveRef())!;
    await within(engine, live, (session) =>
      session.script("create table t (id int, x text); insert into t values (1, 'live')"),
    );
    const candidate = await candidateWith(engine, "new");
    await swapIn(engine, candidate);
    for (let round = 0; round < 5; round += 1) {
      const running = startNode(child, ["swap", databaseUrl(server.url(), name)], { cwd: import.meta.dirname });
      await expect.poll(() => running.seen().stdout, { timeout: 30_000, interval: 5 }).toContain("swapped");
      await sleep(Math.random() * 150);
      await server.kill();
      expect((await running.done).code).toBe(1);
      await expect(engine.liveRef()).rejects.toThrow(/ECONNREFUSED|terminat|not queryable|ECONNRESET/);
      await server.restart();
      await expectWhole(engine, [live.id, candidate.id]);
    }
  });
});
