import { databaseNames, databaseUrl, killedWhen, serverUrl, sql, startNode } from "@replant/testkit";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { halfMadeLimit } from "../../src/server/marks.ts";
import {
  candidateWith,
  disposable,
  freshPlace,
  freshRole,
  livePlace,
  newDatabase,
  newFingerprint,
  newHolder,
  quote,
  textAt,
  urlAs,
  within,
} from "./workbench.ts";

const child = join(import.meta.dirname, "children", "engine.ts");

async function row(url: string, name: string): Promise<Record<string, unknown>> {
  const [found] = await sql(
    url,
    `select pg_get_userbyid(datdba)::text as owner, pg_encoding_to_char(encoding) as encoding, datcollate, datctype, datlocprovider::text as provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale, datconnlimit, datallowconn
     from pg_database d where datname = $1`,
    [name],
  );
  return found!;
}

describe.each([15, 18] as const)("on PostgreSQL %i, a new database", (major) => {
  test.each([
    ["encoding LATIN1", "encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'"],
    ["a libc locale", "encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C'"],
    ["an ICU locale", "encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider icu icu_locale 'de-AT'"],
    ...(major === 18
      ? [
          [
            "a builtin locale",
            "encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8' lc_collate 'C' lc_ctype 'C'",
          ],
        ]
      : []),
  ])("is like live: %s", async (_, clauses) => {
    const owner = await freshRole(major);
    const place = await freshPlace(major);
    const server = await serverUrl(major);
    await sql(server, `create database ${place.name} template template0 ${clauses} owner ${owner}`);
    const engine = place.open();
    const candidate = await engine.create(newDatabase("candidate"));
    expect(await row(server, candidate.name)).toEqual(await row(server, place.name));
    expect(await engine.probe()).toMatchObject({ encoding: (await row(server, place.name))["encoding"] });
    const baseline = disposable(
      engine,
      await engine.seal(await engine.create(newDatabase("building")), newFingerprint()),
    );
    const clone = await engine.clone(baseline, newDatabase("candidate"));
    expect(await row(server, clone.name)).toEqual(await row(server, place.name));
  });

  test("is empty, and has live's settings already", async () => {
    const place = await livePlace(major);
    await sql(
      place.url,
      `alter database ${place.name} set search_path to "My App", public; alter database ${place.name} set app.tenant to 'a''b'`,
    );
    const { engine } = place;
    const candidate = await engine.create(newDatabase("candidate"));
    const settings = "select current_setting('search_path') as path, current_setting('app.tenant') as tenant";
    const expected = [{ path: '"My App", public', tenant: "a'b" }];
    expect(await within(engine, candidate, (session) => session.query(settings))).toEqual(expected);
    const baseline = disposable(
      engine,
      await engine.seal(await engine.create(newDatabase("building")), newFingerprint()),
    );
    const clone = await engine.clone(baseline, newDatabase("candidate"));
    expect(await within(engine, clone, (session) => session.query(settings))).toEqual(expected);
    expect(await within(engine, clone, (session) => engine.catalog(session))).toEqual({ tables: [] });
  });

  test("of a run that died before its mark is listed, and can be dropped", async () => {
    const { engine, name } = await livePlace(major);
    const server = await serverUrl(major);
    const half = `${name}__next_0a1b2c`;
    const look = `${name}__next_0d1e2f`;
    await sql(server, `create database ${half} template template0 connection limit ${halfMadeLimit}`);
    await sql(server, `create database ${look} template template0`);
    expect((await engine.managed()).filter(({ live }) => live === name)).toMatchObject([
      { name: half, role: "building" },
    ]);
    const ids = await sql<{ id: string; datname: string }>(
      server,
      "select oid::text as id, datname::text from pg_database where starts_with(datname::text, $1)",
      [name],
    );
    const refs = new Map(ids.map(({ id, datname }) => [datname, { id, name: datname }]));
    await engine.drop(refs.get(half)!);
    await expect(engine.drop(refs.get(look)!)).rejects.toThrow("no mark");
    expect(await databaseNames(major, name)).toEqual([name, look]);
  });

  test("takes the place of what an earlier attempt of its run left, but of nothing else", async () => {
    const { engine, name } = await livePlace(major);
    const server = await serverUrl(major);
    const database = newDatabase("candidate");
    const first = await engine.create(database);
    const second = await engine.create(database);
    expect(second.name).toBe(first.name);
    expect(second.id).not.toBe(first.id);
    await sql(server, `comment on database ${second.name} is null`);
    await expect(engine.create(database)).rejects.toMatchObject({ code: "REPLANT_NAME_INVALID" });
    await sql(server, `alter database ${second.name} connection limit ${halfMadeLimit}`);
    expect((await engine.create(database)).id).not.toBe(second.id);
    expect(await databaseNames(major, name)).toEqual([name, first.name]);
  });

  test("leaves nothing behind when its run is killed in the middle", async () => {
    const place = await livePlace(major);
    const server = await serverUrl(major);
    const running = startNode(child, ["create", place.url], { cwd: import.meta.dirname });
    const killed = await killedWhen(
      running.child,
      async () => (await databaseNames(major, `${place.name}__next_`)).length > 0,
    );
    await running.done;
    expect(killed).toBe(true);
    // The statement under way ends on the server, whoever is left to hear of it.
    await expect
      .poll(() =>
        sql(server, "select from pg_stat_activity where query ilike $1 and pid <> pg_backend_pid()", [
          `%create database%${place.name}%`,
        ]),
      )
      .toEqual([]);
    await (await place.engine.lock(newHolder())).release();
    for (const database of await place.engine.managed()) {
      if (database.live === place.name) await place.engine.drop(database);
    }
    expect(await databaseNames(major, place.name)).toEqual([place.name]);
    expect(await textAt(place.url)).toBe("live");
  });

  test("that cannot be finished is dropped again", async () => {
    const { engine, name, live } = await livePlace(major);
    const server = await serverUrl(major);
    await sql(server, "insert into pg_db_role_setting values ($1::oid, 0, '{work_mem=banana}')", [live.id]);
    await expect(engine.create(newDatabase("candidate"))).rejects.toMatchObject({ code: "22023" });
    expect(await databaseNames(major, name)).toEqual([name]);
    await sql(server, "delete from pg_db_role_setting where setdatabase = $1::oid", [live.id]);
    await engine.create(newDatabase("candidate"));
  });

  test("that the role may not make says so and leaves nothing", async () => {
    const role = await freshRole(major);
    const place = await freshPlace(major);
    await sql(await serverUrl(major), `create database ${place.name} owner ${role}`);
    const engine = place.open({ url: urlAs(place.url, role) });
    await expect(engine.create(newDatabase("candidate"))).rejects.toMatchObject({
      code: "REPLANT_STRATEGY_UNAVAILABLE",
    });
    expect(await databaseNames(major, place.name)).toEqual([place.name]);
  });

  test("cannot be cloned from a baseline that has gone", async () => {
    const { engine } = await livePlace(major);
    const baseline = await engine.seal(await engine.create(newDatabase("building")), newFingerprint());
    await expect(engine.clone({ ...baseline, id: "1" }, newDatabase("candidate"))).rejects.toMatchObject({
      code: "REPLANT_BASELINE_FAILED",
    });
    await engine.drop(baseline);
    await expect(engine.clone(baseline, newDatabase("candidate"))).rejects.toMatchObject({
      code: "REPLANT_BASELINE_FAILED",
    });
  });
});

describe.each([15, 18] as const)("on PostgreSQL %i, dropping", (major) => {
  test("ends sessions, and goes for templates, closed and half-dropped databases", async () => {
    const { engine, name } = await livePlace(major);
    const server = await serverUrl(major);
    const made = [];
    for (const text of ["used", "template", "closed", "half"]) made.push(await candidateWith(engine, text));
    const [used, template, closed, half] = made.map((database) => database.name);
    const session = await engine.connect(made[0]!);
    await sql(server, `alter database ${template} is_template true; alter database ${closed} allow_connections false`);
    await sql(server, "update pg_database set datconnlimit = -2 where datname = $1", [half]);
    const listed = (await engine.managed()).filter(({ live }) => live === name);
    expect(listed.map((database) => [database.name, database.role])).toEqual([
      [used, "candidate"],
      [template, "candidate"],
      [closed, "candidate"],
      [half, "building"],
    ]);
    for (const database of made) await engine.drop(database);
    expect(await databaseNames(major, name)).toEqual([name]);
    await expect(session.query("select 1")).rejects.toThrow(/terminat|not queryable/);
  });

  test("is refused for live even when somebody has put a mark on it", async () => {
    const { engine, name, live, url } = await livePlace(major);
    const candidate = await engine.create(newDatabase("candidate"));
    const server = await serverUrl(major);
    await sql(
      server,
      `do $$ declare mark text; begin
         select description into mark from pg_shdescription where objoid = ${candidate.id} and classoid = 'pg_database'::regclass;
         execute format('comment on database ${quote(name)} is %L', mark); end $$`,
    );
    expect((await engine.managed()).filter((database) => database.live === name).map(({ id }) => id)).toEqual([
      candidate.id,
    ]);
    await expect(engine.drop(live)).rejects.toThrow("is not dropped");
    expect(await textAt(url)).toBe("live");
    expect(await textAt(databaseUrl(server, name))).toBe("live");
  });
});
