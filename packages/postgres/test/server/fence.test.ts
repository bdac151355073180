import { isReplantError, type ReplantError } from "@replant/core";
import { serverUrl, sql } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { application, candidateWith, livePlace, swapIn } from "./workbench.ts";

const t = { schema: "public", name: "t" };

async function refusalOf(work: Promise<unknown>): Promise<ReplantError> {
  const error: unknown = await work.catch((failure: unknown) => failure);
  if (isReplantError(error)) return error;
  throw new Error("nothing was refused", { cause: error });
}

describe.each([15, 18] as const)("the fence on PostgreSQL %i", (major) => {
  test("lets readers through and makes writers wait, until it is released", async () => {
    const { engine, live, url } = await livePlace(major);
    const [reader, writer] = [await application(url), await application(url)];
    const fence = await engine.fence(live, [t]);
    let written = false;
    const writing = writer.query("update t set x = 'late'").then(() => (written = true));
    const waiting = async (): Promise<unknown> => {
      const { rows } = await reader.query("select from pg_locks where not granted and relation = 't'::regclass");
      return rows.length;
    };
    await expect.poll(waiting).toBe(1);
    expect((await reader.query("select x from t")).rows).toEqual([{ x: "live" }]);
    expect(await fence.session.query("select x from t")).toEqual([{ x: "live" }]);
    expect(written).toBe(false);
    await fence.release();
    await writing;
    expect((await reader.query("select x from t")).rows).toEqual([{ x: "late" }]);
  });

  test("sees what was committed before it had its locks, and nothing of tables without a lock after that", async () => {
    const { engine, live, url } = await livePlace(major);
    await sql(url, "create table other (n int); insert into other values (1)");
    const writer = await application(url);
    await writer.query("begin; update t set x = 'committed while the fence waited'");
    const raising = engine.fence(live, [t]);
    const waiting = async (): Promise<number> =>
      (await writer.query("select from pg_locks where not granted and relation = 't'::regclass")).rows.length;
    await expect.poll(waiting).toBe(1);
    await writer.query("commit");
    const fence = await raising;
    expect(await fence.session.query("select x from t")).toEqual([{ x: "committed while the fence waited" }]);
    await writer.query("insert into other values (2)");
    expect(await fence.session.query("select n from other")).toEqual([{ n: 1 }]);
    await fence.release();
  });

  test("names an idle transaction that is in its way, and stops", async () => {
    const { engine: _, url, live, name, open } = await livePlace(major);
    const engine = open({ lockTimeoutMs: 300 });
    const writer = await application(url, "worker-7");
    await writer.query("begin; update t set x = 'open'");
    const [{ pid }] = (await writer.query("select pg_backend_pid() as pid")).rows as [{ pid: number }];
    const refusal = await refusalOf(engine.fence(live, [t]));
    expect(refusal.code).toBe("REPLANT_FENCE_BLOCKED");
    expect(refusal.details.items).toHaveLength(1);
    expect(refusal.details.items?.[0]).toMatch(
      new RegExp(`^pid ${pid}, application "worker-7", user "postgres", idle in transaction for \\d+\\.\\d s$`),
    );
    expect(refusal.message).toContain(`kept tables of "${name}" are locked by pid ${pid}`);
    expect(refusal.details.why).toBe("3 tries to lock t against writers did not succeed");
    // Nothing of it is left in the way of others.
    expect(await sql(url, "select from pg_locks where relation = 't'::regclass and mode = 'ShareLock'")).toEqual([]);
    await writer.query("commit");
    await (await engine.fence(live, [t])).release();
  });

  test("waits as often as it tries: a transaction that ends in between is no error", async () => {
    const { url, live, open } = await livePlace(major);
    const engine = open({ lockTimeoutMs: 200 });
    const writer = await application(url);
    await writer.query("begin; update t set x = 'open'");
    const raising = engine.fence(live, [t]);
    const watcher = await application(url);
    const tries = async (): Promise<string> => {
      const { rows } = await watcher.query(
        "select state from pg_stat_activity where datname = current_database() and application_name = 'replant'",
      );
      return (rows as { state: string }[])[0]?.state ?? "";
    };
    await expect.poll(tries, { interval: 5 }).toBe("active");
    await expect.poll(tries, { interval: 5 }).toBe("idle");
    await writer.query("commit");
    await (await raising).release();
  });

  test("locks hostile names and partitions", async () => {
    const { engine, live, url } = await livePlace(major);
    await sql(
      url,
      `create schema "S; drop table t; --"; create table "S; drop table t; --"."a""b 'c' é" (id int);
       create table p (id int) partition by range (id); create table p1 partition of p for values from (0) to (10);
       set client_min_messages = error`,
    );
    const tables = [{ schema: "S; drop table t; --", name: `a"b 'c' é` }, { schema: "public", name: "p" }, t];
    const fence = await engine.fence(live, tables);
    const locked = await sql<{ name: string }>(
      url,
      `select relname::text as name from pg_locks l join pg_class c on c.oid = l.relation where l.mode = 'ShareLock'
       and l.database = (select oid from pg_database where datname = current_database()) order by relname collate "C"`,
    );
    expect(locked.map(({ name }) => name)).toEqual([`a"b 'c' é`, "p", "p1", "t"]);
    await fence.release();
  });

  test("is not raised on a table that is not there, nor on another database than the one inspected", async () => {
    const { engine, live, url } = await livePlace(major);
    await expect(engine.fence(live, [{ schema: "public", name: "absent" }])).rejects.toMatchObject({ code: "42P01" });
    await expect(engine.fence({ ...live, id: "1" }, [t])).rejects.toMatchObject({ code: "REPLANT_FENCE_BLOCKED" });
    expect(
      await sql(
        url,
        "select from pg_stat_activity where datname = current_database() and application_name = 'replant'",
      ),
    ).toEqual([]);
  });

  test("that was lost refuses the swap", async () => {
    const { engine, live, url } = await livePlace(major);
    const candidate = await candidateWith(engine, "new");
    const fence = await engine.fence(live, [t]);
    await sql(
      await serverUrl(major),
      "select pg_terminate_backend(pid) from pg_stat_activity where datid = $1::oid and application_name = 'replant'",
      [live.id],
    );
    await expect(swapIn(engine, candidate, { live, fence })).rejects.toMatchObject({ code: "REPLANT_SWAP_FAILED" });
    const failed = await engine.fence(live, [t]);
    await expect(failed.session.query("select 1/0")).rejects.toMatchObject({ code: "22012" });
    await expect(swapIn(engine, candidate, { live, fence: failed })).rejects.toThrow("locks on the kept tables");
    const released = await engine.fence(live, [t]);
    await released.release();
    await expect(swapIn(engine, candidate, { live, fence: released })).rejects.toThrow("locks on the kept tables");
    expect(await engine.liveRef()).toEqual(live);
    expect(await sql(url, "select x from t")).toEqual([{ x: "live" }]);
  });
});
