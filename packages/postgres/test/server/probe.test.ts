import { connect, serverUrl, sql } from "@replant/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  application,
  freshPlace,
  freshRole,
  livePlace,
  newDatabase,
  quote,
  swapIn,
  textAt,
  urlAs,
  within,
} from "./workbench.ts";

describe.each([15, 18] as const)("the probe on PostgreSQL %i", (major) => {
  test("tells what live is", async () => {
    const { engine, live, name, url } = await livePlace(major);
    const [client] = [await application(url, "shop web")];
    await client.query("begin");
    const facts = await engine.probe();
    const [server] = await sql<{ id: string }>(url, "select system_identifier::text as id from pg_control_system()");
    expect(facts).toEqual({
      engine: "server",
      database: name,
      live,
      location: new URL(url).host,
      local: true,
      systemIdentifier: server?.id,
      serverVersion: expect.stringMatching(new RegExp(`^${major}\\.\\d+$`)),
      serverMajor: major,
      encoding: "UTF8",
      collation: expect.any(String),
      extensions: [expect.stringMatching(/^plpgsql \d+\.\d+$/)],
      sizeBytes: expect.any(Number),
      sessions: [
        {
          pid: expect.any(Number),
          application: "shop web",
          user: "postgres",
          state: "idle in transaction",
          ageMs: expect.any(Number),
        },
      ],
      swapBlockers: [],
      environment: null,
    });
    expect(facts.sizeBytes).toBeGreaterThan(1_000_000);
    expect(facts.sessions[0]?.ageMs).toBeGreaterThan(0);
  });

  test("does not count our own sessions as foreign", async () => {
    const { engine, live } = await livePlace(major);
    const session = await engine.connect(live);
    const fence = await engine.fence(live, []);
    expect((await engine.probe()).sessions).toEqual([]);
    await fence.release();
    await session.close();
  });

  test("refuses to connect to a database that has been replaced since", async () => {
    const { engine, live } = await livePlace(major);
    await swapIn(engine, await engine.create(newDatabase("candidate")));
    await expect(engine.connect(live)).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
    await expect(engine.connect({ name: "absent", id: "1" })).rejects.toMatchObject({
      code: "REPLANT_CONNECTION_FAILED",
    });
  });

  test("goes on without the maintenance database, which blocks the swap", async () => {
    const place = await livePlace(major);
    const engine = place.open({ maintenanceDatabase: "absent_maintenance" });
    const facts = await engine.probe();
    expect(facts.live).toEqual(place.live);
    expect(facts.swapBlockers).toEqual([
      expect.stringContaining('no maintenance database can be reached: cannot connect to "absent_maintenance"'),
    ]);
    await expect(engine.liveRef()).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
    const nowhere = place.open({ maintenanceDatabase: "absent_maintenance", url: `${place.url}_absent` });
    await expect(nowhere.probe()).rejects.toMatchObject({ code: "REPLANT_CONNECTION_FAILED" });
  });

  test("names slots, subscriptions and prepared transactions", async () => {
    const { engine, name, url } = await livePlace(major);
    await sql(
      url,
      `create subscription ${name} connection 'dbname=absent' publication p with (connect = false, slot_name = none)`,
    );
    const found = (await engine.probe()).swapBlockers;
    expect(found).toEqual([`subscription "${name}" writes to it`]);
    await sql(url, `drop subscription ${name}`);
    expect((await engine.probe()).swapBlockers).toEqual([]);
  });
});

describe.each([15, 18] as const)("roles on PostgreSQL %i", (major) => {
  /** Live belongs to a role without any privilege but these. */
  async function ownedPlace(attributes: string) {
    const role = await freshRole(major, attributes);
    const place = await freshPlace(major);
    const server = await serverUrl(major);
    await sql(server, `create database ${quote(place.name)} template template0 owner ${role}`);
    const url = urlAs(place.url, role);
    await sql(url, "create schema app; create table app.t (x text)").catch(() => []);
    return { ...place, server, role, url, adminUrl: place.url, engine: place.open({ url }) };
  }

  test("an owner with CREATEDB can do everything, and live stays its own", async () => {
    const { engine, url, role, server, name, open } = await ownedPlace("createdb");
    expect((await engine.probe()).swapBlockers).toEqual([]);
    await sql(
      url,
      `alter database ${name} set search_path to app; alter role ${role} in database ${name} set work_mem to '5MB'`,
    );
    const lock = await engine.lock({ run: "r", command: "reset", pid: 1, host: "h", since: "" });
    const building = await engine.create(newDatabase("building"));
    await within(engine, building, (session) =>
      session.script("create schema app; create table app.t (x text); insert into app.t values ('seeded')"),
    );
    const baseline = await engine.seal(building, `fingerprint of ${name}`.padEnd(64, name));
    onTestFinished(() => open({ url: server }).drop(baseline));
    const candidate = await engine.clone(baseline, newDatabase("candidate"));
    const live = (await engine.liveRef())!;
    const fence = await engine.fence(live, [{ schema: "app", name: "t" }]);
    await application(url);
    const { previous, endedSessions } = await swapIn(engine, candidate, { live, fence });
    expect(endedSessions).toBe(1);
    expect(await sql(url, "select x, current_setting('work_mem') as mem from t")).toEqual([
      { x: "seeded", mem: "5MB" },
    ]);
    const owners = await sql(
      server,
      "select distinct pg_get_userbyid(datdba)::text as owner from pg_database where starts_with(datname::text, $1)",
      [name],
    );
    expect(owners).toEqual([{ owner: role }]);
    await engine.drop(previous!);
    await lock.release();
  });

  test("without CREATEDB the swap is not possible, and nothing is tried", async () => {
    const { engine, role } = await ownedPlace("");
    expect((await engine.probe()).swapBlockers).toEqual([`user "${role}" may not create databases (CREATEDB)`]);
  });

  test("somebody else's database cannot be swapped", async () => {
    const { adminUrl, role, name, open } = await ownedPlace("");
    const stranger = await freshRole(major, "createdb");
    const engine = open({ url: urlAs(adminUrl, stranger) });
    const { live, swapBlockers } = await engine.probe();
    expect(live?.name).toBe(name);
    expect(swapBlockers).toEqual([`user "${stranger}" does not own it: the owner is "${role}"`]);
  });

  test("sessions that may not be ended block it, in the plan and in the swap", async () => {
    const { engine, adminUrl, url } = await ownedPlace("createdb");
    const superuser = await application(adminUrl, "console");
    const [{ pid }] = (await superuser.query("select pg_backend_pid() as pid")).rows as [{ pid: number }];
    const line = `pid ${pid}, application "console", user "postgres"`;
    expect((await engine.probe()).swapBlockers).toEqual([`a session on live cannot be ended by this user: ${line}`]);
    const bystander = await application(url, "app");
    const candidate = await engine.create(newDatabase("candidate"));
    await expect(swapIn(engine, candidate)).rejects.toMatchObject({
      code: "REPLANT_SWAP_FAILED",
      details: { items: [line] },
    });
    // Refused before anybody was sent away.
    expect((await bystander.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await superuser.end();
    expect((await swapIn(engine, candidate)).endedSessions).toBe(1);
  });

  test("sessions of a foreign role can be ended by who may signal all", async () => {
    const { engine, adminUrl, role, server } = await ownedPlace("createdb");
    const foreign = await freshRole(major);
    await application(urlAs(adminUrl, foreign), "foreign");
    expect((await engine.probe()).swapBlockers).toEqual([expect.stringContaining('application "foreign"')]);
    await sql(server, `grant pg_signal_backend to ${role}`);
    expect((await engine.probe()).swapBlockers).toEqual([]);
    expect((await swapIn(engine, await engine.create(newDatabase("candidate")))).endedSessions).toBe(1);
  });

  test("settings that only a superuser can copy block it", async () => {
    const { engine, server, name, role } = await ownedPlace("createdb");
    const other = await freshRole(major);
    await sql(
      server,
      `alter database ${name} set log_min_duration_statement to 100; alter database ${name} set app.x to y`,
    );
    await sql(server, `alter role ${other} in database ${name} set work_mem to '5MB'`);
    await sql(server, `alter role ${role} in database ${name} set work_mem to '5MB'`);
    expect((await engine.probe()).swapBlockers).toEqual([
      `the settings of role "${other}" in this database can be copied by a superuser only`,
      "the setting log_min_duration_statement of this database can be copied by a superuser only",
    ]);
    await sql(
      server,
      `alter role ${other} in database ${name} reset all; alter database ${name} reset log_min_duration_statement`,
    );
    expect((await engine.probe()).swapBlockers).toEqual([]);
  });

  test("a superuser's swap keeps another role's ownership", async () => {
    const { adminUrl, open, role, server, name } = await ownedPlace("");
    const engine = open({ url: adminUrl });
    expect((await engine.probe()).swapBlockers).toEqual([]);
    const candidate = await engine.create(newDatabase("candidate"));
    await within(engine, candidate, (session) =>
      session.script("create table t (x text); insert into t values ('new')"),
    );
    await swapIn(engine, candidate);
    expect(await textAt(adminUrl)).toBe("new");
    expect(
      await sql(server, "select pg_get_userbyid(datdba)::text as owner from pg_database where datname = $1", [name]),
    ).toEqual([{ owner: role }]);
  });

  test("connections of ours end with the engine", async () => {
    const { engine, server, name } = await ownedPlace("createdb");
    const live = (await engine.liveRef())!;
    const session = await engine.connect(live);
    const sleeping = session.query("select pg_sleep(600)").catch((error: unknown) => error);
    const watcher = await connect(server);
    const count = async (): Promise<unknown> =>
      (await watcher.query("select from pg_stat_activity where datname = $1", [name])).rows.length;
    await expect.poll(count).toBe(1);
    await engine.close();
    expect(await sleeping).toBeInstanceOf(Error);
    await expect.poll(count).toBe(0);
    await watcher.end();
    // It may be used again.
    expect(await engine.liveRef()).toEqual(live);
  });
});
