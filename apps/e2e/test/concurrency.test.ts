import { setTimeout as sleep } from "node:timers/promises";
import { connect, createDatabase, databaseUrl, makeWorkspace, serverUrl, sql } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { keptRows, openTarget, preparedTarget } from "./target.ts";

/** Inserts users in a loop until told to stop; `acknowledged` are those whose insert the server confirmed. */
function startWriter(url: string, name: string): { stop: () => Promise<string[]> } {
  const acknowledged: string[] = [];
  const state = { stopped: false };
  const loop = (async () => {
    for (let n = 0; !state.stopped; n += 1) {
      const id = `${name}_${n}`;
      try {
        const client = await connect(url);
        try {
          for (let m = 0; !state.stopped; m += 1) {
            const key = `${id}_${m}`;
            await client.query("insert into users (clerk_id, email) values ($1, $1 || '@example.com')", [key]);
            acknowledged.push(key);
          }
        } finally {
          await client.end().catch(() => undefined);
        }
      } catch {
        await sleep(5);
      }
    }
  })();
  return {
    stop: async () => {
      state.stopped = true;
      await loop;
      return acknowledged;
    },
  };
}

describe("others at work", () => {
  test("ten writers: no insert that was acknowledged is lost, over three resets", { timeout: 300_000 }, async () => {
    const target = await openTarget("PostgreSQL 15");
    const { workspace } = target;
    await workspace.replant(["reset"]);
    const { url } = await urlOf(target);
    const writers = Array.from({ length: 10 }, (_, n) => startWriter(url, `writer${n}`));
    const codes: (number | null)[] = [];
    for (let n = 0; n < 3; n += 1) {
      await sleep(200);
      const result = await workspace.replant(["reset"]);
      codes.push(result.code);
    }
    await sleep(200);
    const acknowledged = (await Promise.all(writers.map((writer) => writer.stop()))).flat();
    expect(codes).toEqual([0, 0, 0]);
    expect(acknowledged.length).toBeGreaterThan(500);
    const found = new Set(
      (await sql<{ clerk_id: string }>(url, "select clerk_id from users")).map((row) => row.clerk_id),
    );
    expect(acknowledged.filter((key) => !found.has(key))).toEqual([]);
  });

  test("readers are served until the swap, and by the new database after it", async () => {
    const target = await preparedTarget("PostgreSQL 15");
    const { url } = await urlOf(target);
    const state = { stopped: false };
    const counts = new Set<string>();
    let served = 0;
    const reader = (async () => {
      while (!state.stopped) {
        try {
          const rows = await sql<{ n: string }>(url, "select count(*)::text as n from users where deleted_at is null");
          counts.add(rows[0]?.n ?? "none");
          served += 1;
        } catch {
          await sleep(5);
        }
      }
    })();
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    state.stopped = true;
    await reader;
    expect([...counts]).toEqual(["8"]);
    expect(served).toBeGreaterThan(10);
  });

  test("two resets at once: one works, the other exits 4 and names the holder", async () => {
    const target = await preparedTarget("PostgreSQL 15");
    const before = await keptRows(target);
    const results = await Promise.all([1, 2, 3].map(() => target.workspace.replant(["reset", "--json"])));
    const codes = results.map((result) => String(result.code)).toSorted();
    expect(codes[0], results.map((result) => result.stderr).join("\n")).toBe("0");
    expect(codes.every((code) => code === "0" || code === "4")).toBe(true);
    for (const result of results.filter((candidate) => candidate.code === 4)) {
      const { error } = JSON.parse(result.stdout);
      expect(error.code).toBe("REPLANT_LOCKED");
      expect([error.message, error.why, ...(error.items ?? [])].join(" ")).toMatch(/reset.*pid|pid.*reset/);
    }
    expect(await keptRows(target)).toEqual(before);
  });

  test("a transaction left open on a kept table is named with pid, application and age; live is untouched", async () => {
    const target = await preparedTarget("PostgreSQL 15");
    const { url } = await urlOf(target);
    const before = await keptRows(target);
    const holder = await connect(`${url}?application_name=forgotten_shell`);
    await holder.query("begin; update users set first_name = 'open' where clerk_id = 'user_1'");
    const pid = (await holder.query("select pg_backend_pid() as pid")).rows[0].pid;
    const result = await target.workspace.replant(["reset", "--json"]);
    expect(result.code).toBe(4);
    const { error } = JSON.parse(result.stdout);
    expect(error.code).toBe("REPLANT_FENCE_BLOCKED");
    const text = JSON.stringify(error);
    expect(text).toContain(String(pid));
    expect(text).toContain("forgotten_shell");
    expect(text).toMatch(/idle in transaction/);
    await holder.query("rollback");
    await holder.end();
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);
  });

  test("settings, owner, grants and comment of the database survive a reset and an undo", async () => {
    const database = await createDatabase(15, { prefix: "settings" });
    const workspace = await makeWorkspace({ DATABASE_URL: database.url });
    await workspace.replant(["reset"]);
    const quoted = `"${database.name}"`;
    const role = `${database.name}_app`;
    await sql(
      database.url,
      `create role ${role}; alter database ${quoted} owner to ${role}; grant connect, temporary on database ${quoted} to ${role};
      revoke all on database ${quoted} from public; comment on database ${quoted} is 'it''s ours'; alter database ${quoted} connection limit 77;
      alter database ${quoted} set statement_timeout = '12s'; alter database ${quoted} set search_path = 'public', "odd name"; alter role ${role} in database ${quoted} set work_mem = '7MB'`,
    );
    const read = (): Promise<object[]> =>
      sql(
        database.url,
        `select d.datdba::regrole::text as owner, d.datacl::text as acl, d.datconnlimit as lim, shobj_description(d.oid, 'pg_database') as comment,
        (select array_agg(coalesce(s.setrole::regrole::text, '') || (select array_agg(c order by c) from unnest(s.setconfig) c)::text order by s.setrole) from pg_db_role_setting s where s.setdatabase = d.oid)::text as settings
        from pg_database d where d.datname = current_database()`,
      );
    const before = await read();
    expect(JSON.stringify(before)).toContain("7MB");
    expect((await workspace.replant(["reset"])).code).toBe(0);
    expect(await read()).toEqual(before);
    expect((await workspace.replant(["undo"])).code).toBe(0);
    expect(await read()).toEqual(before);
    await sql(database.url, `alter database ${quoted} owner to postgres`);
  });
});

async function urlOf(target: { database: string }): Promise<{ url: string }> {
  return { url: databaseUrl(await serverUrl(15), target.database) };
}
