import { describe, expect, test } from "vitest";
import { connect, createDatabase, databaseNames, dropDatabases, serverUrl, sql } from "../src/index.ts";

describe.each([15, 18] as const)("the shared server %i", (major) => {
  test("answers with its version", async () => {
    const [row] = await sql<{ version: number }>(
      await serverUrl(major),
      "select current_setting('server_version_num')::int / 10000 as version",
    );
    expect(row).toEqual({ version: major });
  });

  test("is one and the same for the whole run", async () => {
    expect(await serverUrl(major)).toBe(await serverUrl(major));
  });

  test("creates databases under names of their own and drops them", async () => {
    const [one, other] = await Promise.all([createDatabase(major), createDatabase(major)]);
    expect(one.name).not.toBe(other.name);
    expect(await sql(one.url, "select current_database()::text as name")).toEqual([{ name: one.name }]);
    await one.drop();
    await one.drop();
    await other.drop();
    expect(await databaseNames(major, one.name)).toEqual([]);
  });

  test("drops databases in use, closed ones, templates and half-dropped ones", async () => {
    const prefix = `odd_state_${major}`;
    const bystander = await createDatabase(major, { prefix: `oddXstate_${major}` });
    const [used, closed, template, half] = await Promise.all(
      Array.from({ length: 4 }, () => createDatabase(major, { prefix })),
    );
    const session = await connect(used!.url);
    const server = await serverUrl(major);
    await sql(server, `alter database "${closed!.name}" allow_connections false`);
    await sql(server, `alter database "${template!.name}" allow_connections false is_template true`);
    await sql(server, "update pg_database set datconnlimit = -2 where datname = $1", [half!.name]);
    await dropDatabases(major, prefix);
    expect(await databaseNames(major, prefix)).toEqual([]);
    await expect(session.query("select 1")).rejects.toThrow(/terminat|not queryable|closed/i);
    expect(await databaseNames(major, bystander.name)).toEqual([bystander.name]);
    await bystander.drop();
  });

  test("returns values as the server writes them", async () => {
    const text = `select 1 as int, true as bool, array['a', null] as list, 9007199254740993 as big,
      timestamptz '2026-01-02 03:04:05.123456+00' as at, '{"n": 1.0}'::jsonb as json, null as nothing`;
    expect(await sql(await serverUrl(major), text)).toEqual([
      {
        int: 1,
        bool: true,
        list: ["a", null],
        big: "9007199254740993",
        at: "2026-01-02 03:04:05.123456+00",
        json: '{"n": 1.0}',
        nothing: null,
      },
    ]);
    expect(await sql(await serverUrl(major), "select 1 as a; select 2 as b")).toEqual([{ b: 2 }]);
  });
});
