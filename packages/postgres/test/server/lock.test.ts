import { killGroup, serverUrl, sql, startNode } from "@replant/testkit";
import { isReplantError } from "@replant/core";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { proxied } from "./proxy.ts";
import { freshPlace, freshRole, livePlace, newHolder, urlAs } from "./workbench.ts";

const child = join(import.meta.dirname, "children", "engine.ts");

describe.each([15, 18] as const)("the lock on PostgreSQL %i", (major) => {
  test("of a killed process is free at once, and was named until then", async () => {
    const place = await freshPlace(major);
    const engine = place.open();
    const running = startNode(child, ["lock", place.url, "run-of-the-child"], { cwd: import.meta.dirname });
    await expect.poll(() => running.seen().stdout, { timeout: 30_000 }).toBe("locked\n");
    const refusal: unknown = await engine.lock(newHolder()).catch((error: unknown) => error);
    if (!isReplantError(refusal)) throw refusal;
    expect(refusal.code).toBe("REPLANT_LOCKED");
    expect(refusal.message).toContain(
      `another run works on "${place.name}": replant reset, run run-of-the-child, pid ${running.child.pid} on `,
    );
    expect(refusal.message).toMatch(/, since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    killGroup(running.child);
    await running.done;
    const free = async (): Promise<boolean> =>
      engine.lock(newHolder()).then(
        async (lock) => lock.release().then(() => true),
        () => false,
      );
    await expect.poll(free, { timeout: 10_000 }).toBe(true);
  });

  test("is handed over between twenty contenders, one at a time", async () => {
    const place = await freshPlace(major);
    let holders = 0;
    let taken = 0;
    const contend = async (): Promise<void> => {
      const engine = place.open();
      for (;;) {
        try {
          const lock = await engine.lock(newHolder());
          holders += 1;
          expect(holders).toBe(1);
          await lock.assertHeld();
          holders -= 1;
          taken += 1;
          await lock.release();
          return;
        } catch (error) {
          if (!isReplantError(error) || error.code !== "REPLANT_LOCKED") throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    await Promise.all(Array.from({ length: 20 }, contend));
    expect(taken).toBe(20);
  });

  test("that the server took away is noticed", async () => {
    const place = await freshPlace(major);
    const holder = newHolder();
    const lock = await place.open().lock(holder);
    const ended = await sql(
      await serverUrl(major),
      "select pg_terminate_backend(pid) from pg_stat_activity where strpos(application_name, $1) > 0",
      [holder.run],
    );
    expect(ended).toHaveLength(1);
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: "REPLANT_LOCKED" });
    await lock.release();
  });

  test("of one live database leaves another one alone, and long commands and hosts are cut, not refused", async () => {
    const [one, other] = [await freshPlace(major), await freshPlace(major, "_b")];
    const holder = { ...newHolder("restore --chain"), host: `ü.${"very-long-host.".repeat(5)}example` };
    const locks = [await one.open().lock(holder), await other.open().lock(newHolder())];
    await expect(one.open().lock(newHolder())).rejects.toThrow(
      `replant restore --chain, run ${holder.run}, pid ${process.pid}`,
    );
    for (const lock of locks) await lock.release();
  });

  test("of another role's run is named too", async () => {
    const role = await freshRole(major);
    const place = await livePlace(major);
    const holder = newHolder();
    const lock = await place.engine.lock(holder);
    const engine = place.open({ url: urlAs(place.url, role) });
    await expect(engine.lock(newHolder())).rejects.toThrow(`replant reset, run ${holder.run}, pid ${process.pid} on `);
    await lock.release();
  });

  test("is refused behind a transaction pooler, and the probe says so", async () => {
    const place = await livePlace(major);
    // A pooler gives the client a process id of its own making.
    const fromServer = (chunk: Buffer): Buffer => {
      const at = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
      if (at >= 0) chunk.writeUInt32BE(chunk.readUInt32BE(at + 5) + 1, at + 5);
      return chunk;
    };
    const engine = place.open({ url: await proxied(place.url, { fromServer }) });
    await expect(engine.lock(newHolder())).rejects.toMatchObject({ code: "REPLANT_STRATEGY_UNAVAILABLE" });
    expect((await engine.probe()).swapBlockers).toEqual(["a transaction pooler stands between Replant and the server"]);
    expect((await place.engine.probe()).swapBlockers).toEqual([]);
  });
});
