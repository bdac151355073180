import { databaseNames, databaseUrl, serverUrl, sql } from "@replant/testkit";
import { isReplantError } from "@replant/core";
import { describe, expect, test } from "vitest";
import { swapApplication } from "../../src/server/names.ts";
import { proxied } from "./proxy.ts";
import {
  application,
  candidateWith,
  freshRole,
  livePlace,
  newDatabase,
  quote,
  runId,
  swapIn,
  textAt,
  within,
} from "./workbench.ts";

const t = { schema: "public", name: "t" };

/** All that belongs to a database but not to its content, as the catalog has it. */
async function settingsOf(url: string, name: string): Promise<Record<string, unknown>> {
  const [row] = await sql(
    url,
    `select pg_get_userbyid(d.datdba)::text as owner, d.datconnlimit, d.datistemplate, d.datallowconn,
       (select string_agg(a::text, ' ' order by a::text) from aclexplode(d.datacl) a) as acl,
       shobj_description(d.oid, 'pg_database') as comment,
       (select string_agg(coalesce(r.rolname, '') || ' ' || array_to_string(s.setconfig, ' '), '; ' order by r.rolname, s.setconfig)
        from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole where s.setdatabase = d.oid) as settings
     from pg_database d where d.datname = $1`,
    [name],
  );
  return row!;
}

describe.each([15, 18] as const)("a swap on PostgreSQL %i", (major) => {
  test("ends the sessions on live, and those on the candidate", async () => {
    const { engine, url } = await livePlace(major);
    const candidate = await candidateWith(engine, "new");
    const clients = [await application(url), await application(url), await application(url)];
    await clients[0]!.query("begin; update t set x = 'open'");
    const visitor = await application(databaseUrl(url, candidate.name));
    const { endedSessions } = await swapIn(engine, candidate);
    expect(endedSessions).toBe(3);
    for (const client of [...clients, visitor])
      await expect(client.query("select 1")).rejects.toThrow(/terminat|not queryable/);
    expect(await textAt(url)).toBe("new");
  });

  test("gives the new database everything that live had: owner, grants, limit, comment, settings", async () => {
    const [ann, bob, cat] = [await freshRole(major), await freshRole(major), await freshRole(major)];
    const { engine, url, name } = await livePlace(major);
    const server = await serverUrl(major);
    const database = quote(name);
    await sql(
      server,
      `alter database ${database} owner to ${ann};
       revoke all on database ${database} from public;
       grant connect on database ${database} to ${bob} with grant option;
       grant create, temporary on database ${database} to ${cat};
       set role ${bob}; grant connect on database ${database} to ${cat}; reset role;
       alter database ${database} connection limit 40;
       alter database ${database} is_template true;
       comment on database ${database} is 'Bob''s \\shop — {"not":"ours"}';
       alter database ${database} set search_path to "$user", "My ""App""", public;
       alter database ${database} set "app.tenant" to 'it''s \\ "x", y';
       alter database ${database} set timezone to 'Europe/Vienna';
       alter database ${database} set temp_tablespaces to '';
       alter role ${bob} in database ${database} set work_mem to '5MB';
       alter role ${cat} in database ${database} set search_path to ''`,
    );
    const before = await settingsOf(server, name);
    const shown = "select current_setting('search_path') as path, current_setting('app.tenant') as tenant";
    const [seen] = await sql(url, shown);
    const candidate = await candidateWith(engine, "new");
    // What a candidate has beyond that goes.
    await sql(
      server,
      `alter database ${candidate.name} set work_mem to '7MB'; alter role ${ann} in database ${candidate.name} set work_mem to '7MB';
       grant temporary on database ${candidate.name} to ${bob}`,
    );
    const { previous } = await swapIn(engine, candidate);
    expect(await settingsOf(server, name)).toEqual(before);
    expect(await sql(url, shown)).toEqual([seen]);
    // Previous keeps its own, but for the comment, which is its mark now.
    const { comment, ...kept } = await settingsOf(server, previous!.name);
    expect({ ...kept, comment: before["comment"] }).toEqual(before);
    expect(JSON.parse(String(comment))).toMatchObject({
      replant: 1,
      role: "previous",
      live: name,
      original: before["comment"],
    });
    await swapIn(engine, previous!);
    expect(await textAt(url)).toBe("live");
    expect(await settingsOf(server, name)).toEqual(before);
    for (const left of await engine.managed()) if (left.live === name) await engine.drop(left);
    await sql(server, `alter database ${database} owner to postgres`);
    await sql(server, `drop owned by ${ann}, ${bob}, ${cat}`);
  });

  test("keeps no comment where live had none, also through undo", async () => {
    const { engine, name } = await livePlace(major);
    const server = await serverUrl(major);
    const { previous } = await swapIn(engine, await candidateWith(engine, "new"));
    expect((await settingsOf(server, name))["comment"]).toBeNull();
    await sql(server, `comment on database ${quote(name)} is 'later'`);
    const undone = await swapIn(engine, previous!);
    expect((await settingsOf(server, name))["comment"]).toBeNull();
    await swapIn(engine, undone.previous!);
    expect((await settingsOf(server, name))["comment"]).toBe("later");
  });

  test("takes only a candidate or a previous database of its own", async () => {
    const { engine, name, live } = await livePlace(major);
    const server = await serverUrl(major);
    const building = await engine.create(newDatabase("building"));
    await sql(server, `create database ${quote(`${name}_other`)}`);
    const [other] = await sql<{ id: string }>(server, "select oid::text as id from pg_database where datname = $1", [
      `${name}_other`,
    ]);
    for (const candidate of [building, { name: `${name}_other`, id: other!.id }]) {
      await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_SWAP_FAILED" });
    }
    expect(await engine.liveRef()).toEqual(live);
  });

  test("of one run may happen twice: previous databases have names of their own", async () => {
    const { engine, name } = await livePlace(major);
    const swap = { fence: null, run: runId(), at: new Date().toISOString() };
    const names = [];
    for (const text of ["one", "two"]) {
      const candidate = await candidateWith(engine, text);
      names.push((await engine.swap({ ...swap, candidate, live: await engine.liveRef() })).previous?.name);
    }
    expect(new Set(names).size).toBe(2);
    expect(names.every((previous) => previous?.startsWith(`${name}__prev_`))).toBe(true);
  });

  test("that cannot copy a setting does not happen", async () => {
    const { engine, name, url, live } = await livePlace(major);
    const candidate = await candidateWith(engine, "new");
    const server = await serverUrl(major);
    // A role that vanishes from the catalog leaves its settings behind; nobody can copy them.
    await sql(server, "insert into pg_db_role_setting values ($1::oid, 4000000000, '{work_mem=5MB}')", [live.id]);
    const client = await application(url);
    await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_SWAP_FAILED" });
    await expect(client.query("select 1")).rejects.toThrow(/terminat|not queryable/);
    expect(await engine.liveRef()).toEqual(live);
    expect(await textAt(url)).toBe("live");
    await sql(server, "delete from pg_db_role_setting where setdatabase = $1::oid and setrole = 4000000000", [live.id]);
    await swapIn(engine, candidate);
    expect(await textAt(url)).toBe("new");
    expect(await databaseNames(major, name)).toHaveLength(2);
  });

  test("is tried again when somebody else's lock goes in between", async () => {
    const { engine, url, live, name } = await livePlace(major);
    const candidate = await candidateWith(engine, "new");
    const fence = await engine.fence(live, [t]);
    const holder = await application(await serverUrl(major));
    await holder.query(`begin; alter database ${quote(name)} connection limit 50`);
    const swapping = swapIn(engine, candidate, { live, fence });
    const watcher = await application(await serverUrl(major));
    const swappers = async (): Promise<number> =>
      (await watcher.query("select from pg_stat_activity where application_name = $1", [swapApplication(name)])).rows
        .length;
    await expect.poll(swappers, { interval: 5 }).toBe(1);
    await expect.poll(swappers, { interval: 5, timeout: 30_000 }).toBe(0);
    await holder.query("rollback");
    expect((await swapping).previous?.id).toBe(live.id);
    expect(await textAt(url)).toBe("new");
  });

  test("waits for who has the database's lock, and gives up without a change when that does not end", async () => {
    const { engine, url, live, name } = await livePlace(major);
    const candidate = await candidateWith(engine, "new");
    const holder = await application(await serverUrl(major));
    await holder.query(`begin; alter database ${quote(name)} connection limit 50`);
    await expect(swapIn(engine, candidate)).rejects.toMatchObject({ code: "REPLANT_SWAP_FAILED" });
    await holder.query("rollback");
    expect(await engine.liveRef()).toEqual(live);
    await swapIn(engine, candidate);
    expect(await textAt(url)).toBe("new");
  });

  describe("whose answer is lost", () => {
    const lose = (verdict: "drop" | "mute") => ({
      fromClient: (chunk: Buffer) => (chunk.includes("rename to") ? verdict : ("pass" as const)),
    });

    test("and that committed, is told by the id of live", async () => {
      const place = await livePlace(major);
      const candidate = await candidateWith(place.engine, "new");
      const engine = place.open({ url: await proxied(place.url, lose("mute")) });
      const error: unknown = await swapIn(engine, candidate).catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(Error);
      expect(isReplantError(error)).toBe(false);
      expect((await engine.liveRef())?.id).toBe(candidate.id);
      expect(await textAt(place.url)).toBe("new");
    });

    test("while the server still works on it, is told when it has ended", async () => {
      const { engine, live, url, name } = await livePlace(major);
      const swapper = await application(await serverUrl(major));
      await swapper.query(`set application_name to '${swapApplication(name)}'`);
      await swapper.query("begin");
      let told = false;
      const asking = engine.liveRef().then((ref) => {
        told = true;
        return ref;
      });
      await swapper.query("select pg_sleep(0.2)");
      expect(told).toBe(false);
      await swapper.end();
      expect(await asking).toEqual(live);
      // A session that does nothing has lost its process.
      const idle = await application(await serverUrl(major));
      await idle.query(`set application_name to '${swapApplication(name)}'`);
      expect(await engine.liveRef()).toEqual(live);
      await expect(idle.query("select 1")).rejects.toThrow(/terminat|not queryable/);
      expect(await textAt(url)).toBe("live");
    });

    test("and that did not arrive, is told by the id of live", async () => {
      const place = await livePlace(major);
      const candidate = await candidateWith(place.engine, "new");
      const engine = place.open({ url: await proxied(place.url, lose("drop")) });
      const fence = await engine.fence(place.live, [t]);
      const error: unknown = await swapIn(engine, candidate, { fence }).catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(Error);
      expect(isReplantError(error)).toBe(false);
      expect(await engine.liveRef()).toEqual(place.live);
      await fence.release();
      expect(await textAt(place.url)).toBe("live");
      await swapIn(place.engine, candidate);
      expect(await textAt(place.url)).toBe("new");
    });
  });
});

describe.each([15, 18] as const)("a swap under load on PostgreSQL %i", (major) => {
  test("loses no write that was acknowledged, with ten writers and readers on it", async () => {
    const { engine, url, live, name } = await livePlace(major);
    await sql(url, "create table kept (writer int, n int, primary key (writer, n))");
    const acknowledged = new Set<string>();
    let reads = 0;
    const load = { running: true };
    const retrying = async (
      work: (client: Awaited<ReturnType<typeof application>>) => Promise<void>,
    ): Promise<void> => {
      while (load.running) {
        try {
          const client = await application(url, "load");
          while (load.running) await work(client);
        } catch (error) {
          // Ended by the swap, or connecting at its very moment.
          if (!/terminat|not queryable|does not exist|ECONNRESET|closed/.test(String(error))) throw error;
        }
      }
    };
    const writers = Array.from({ length: 10 }, async (_, writer) => {
      let n = 0;
      await retrying(async (client) => {
        n += 1;
        await client.query(`insert into kept values (${writer}, ${n})`);
        acknowledged.add(`${writer} ${n}`);
      });
    });
    const readers = Array.from({ length: 3 }, () =>
      retrying(async (client) => {
        await client.query("select count(*) from kept");
        reads += 1;
      }),
    );
    const done = Promise.all([...writers, ...readers]);
    const acknowledgedAfter = (count: number) =>
      expect.poll(() => acknowledged.size, { timeout: 60_000 }).toBeGreaterThan(count);
    await acknowledgedAfter(300);

    const candidate = await candidateWith(engine, "new");
    await within(engine, candidate, (session) =>
      session.script("create table kept (writer int, n int, primary key (writer, n))"),
    );
    const fence = await engine.fence(live, [{ schema: "public", name: "kept" }]);
    const loaded = await within(engine, candidate, (session) =>
      session.copyIn("copy kept from stdin", fence.session.copyOut("copy kept to stdout")),
    );
    const readsBehindFence = reads;
    await expect.poll(() => reads, { timeout: 60_000 }).toBeGreaterThan(readsBehindFence + 20);
    const atSwap = acknowledged.size;
    const { endedSessions } = await swapIn(engine, candidate, { live, fence });
    await acknowledgedAfter(atSwap + 300);
    load.running = false;
    await done;

    expect(endedSessions).toBe(13);
    // Behind the fence nothing was acknowledged.
    expect(loaded).toBe(atSwap);
    const rows = await sql<{ writer: number; n: number }>(url, "select writer, n from kept");
    const present = new Set(rows.map(({ writer, n }) => `${writer} ${n}`));
    expect([...acknowledged].filter((write) => !present.has(write))).toEqual([]);
    expect(await sql(url, "select x from t")).toEqual([{ x: "new" }]);
    expect((await engine.managed()).filter((found) => found.live === name).map(({ role }) => role)).toEqual([
      "previous",
    ]);
  });
});

describe.each([15, 18] as const)("hostile names on PostgreSQL %i", (major) => {
  test.each([
    ["quotes", `"'"''`],
    ["an injection", `"; drop database postgres; --`],
    ["white space", " a\tb\nc "],
    ["upper case", "UPPER Case"],
    ["Unicode", "é日本😀\u202e"],
    ["backslashes and dollars", "\\n$1 $$ %s"],
    ["its full length", "x".repeat(63 - 18)],
    ["its full length in two-byte letters", "é".repeat(22)],
  ])("with %s go through all of it", async (_, suffix) => {
    const { engine, name, live } = await livePlace(major, suffix);
    const text = async (): Promise<unknown> =>
      within(engine, (await engine.liveRef())!, (session) => session.query("select x from t"));
    expect((await engine.probe()).database).toBe(name);
    await (await engine.lock({ run: "r", command: "reset", pid: 1, host: "h", since: "" })).release();
    const candidate = await candidateWith(engine, "new");
    const fence = await engine.fence(live, [t]);
    const { previous } = await swapIn(engine, candidate, { live, fence });
    expect(await text()).toEqual([{ x: "new" }]);
    expect((await engine.managed()).filter((found) => found.live === name)).toMatchObject([
      { ...previous, role: "previous" },
    ]);
    await swapIn(engine, previous!);
    expect(await text()).toEqual([{ x: "live" }]);
    for (const left of await engine.managed()) if (left.live === name) await engine.drop(left);
    expect(await databaseNames(major, name)).toEqual([name]);
  });
});
