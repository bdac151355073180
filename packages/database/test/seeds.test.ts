import { fileURLToPath } from "node:url";
import type { SeedChoice, SqlSession } from "@replant/core";
import { importModule, nodeFiles } from "@replant/node";
import { createSeeder } from "@replant/seeds";
import { connect, createDatabase, sql } from "@replant/testkit";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { history } from "./history.ts";

const seeder = createSeeder({
  root: fileURLToPath(new URL("..", import.meta.url)),
  patterns: ["seeds/*.ts"],
  sets: ["system"],
  files: nodeFiles(),
  importModule,
});
const system: SeedChoice = { sets: ["system"], only: null };
const mock: SeedChoice = { sets: ["mock"], only: null };

let url: string;
let session: SqlSession;
beforeEach(async () => {
  const database = await createDatabase(15);
  url = database.url;
  for (const { sql: script } of history()) await sql(url, script);
  session = await openSession(url);
  onTestFinished(async () => {
    await session.close();
    await database.drop();
  });
});

/** What seeds need of a session. */
async function openSession(at: string): Promise<SqlSession> {
  const client = await connect(at);
  const noCopy = (): never => {
    throw new Error("seeds do not copy");
  };
  return {
    database: client.database ?? "",
    query: async <Row extends object>(text: string, params: readonly unknown[] = []) =>
      (await client.query<Row>(text, [...params])).rows,
    script: async (text) => void (await client.query(text)),
    copyOut: noCopy,
    copyIn: noCopy,
    close: () => client.end(),
  };
}

const run = (choice: SeedChoice, mustWrite: boolean) =>
  seeder.run(session, choice, { mustWrite, onSeed: () => undefined });

const snapshotOf = (tables: readonly string[]) =>
  Promise.all(tables.map((table) => sql(url, `select ${table}::text from ${table} order by id`)));

test("the sets and their order", async () => {
  expect((await seeder.choose(system)).map(({ name }) => name)).toEqual([
    "mcp-servers",
    "default-prompts",
    "default-resources",
  ]);
  expect((await seeder.choose(mock)).map(({ name }) => name)).toEqual(["mock-organization"]);
  const prompts = await seeder.choose({ sets: null, only: ["default-prompts"] });
  expect(prompts.map(({ name }) => name)).toEqual(["mcp-servers", "default-prompts"]);
});

test("set system fills a new database, and adds and changes nothing when it is repeated", async () => {
  const results = await run(system, true);
  const counts =
    "select (select count(*)::int from mcp_servers) as servers, (select count(*)::int from default_prompts) as prompts, (select count(*)::int from default_resources) as resources";
  expect(results.map(({ name, rows }) => [name, rows])).toEqual([
    ["mcp-servers", 6],
    ["default-prompts", 24],
    ["default-resources", 12],
  ]);
  expect(await sql(url, counts)).toEqual([{ servers: 6, prompts: 24, resources: 12 }]);
  expect(
    await sql(
      url,
      "select server_key from mcp_servers s where not exists (select from default_prompts p where p.mcp_server_id = s.id)",
    ),
  ).toEqual([]);
  expect(await sql(url, "select arguments from default_prompts where name = 'review-pull-request'")).toEqual([
    { arguments: '[{"name": "number", "required": true}, {"name": "repository", "required": true}]' },
  ]);

  const tables = ["mcp_servers", "default_prompts", "default_resources"];
  const before = await snapshotOf(tables);
  await run(system, false);
  expect(await snapshotOf(tables)).toEqual(before);
});

test("a seeding puts a changed row right and keeps its id", async () => {
  await run(system, true);
  const [before] = await sql(url, "select id, name from mcp_servers where server_key = 'github'");
  await sql(url, "update mcp_servers set name = 'changed' where server_key = 'github'");
  await sql(url, "delete from default_prompts where name = 'summarize-issue'");
  await run(system, false);
  expect(await sql(url, "select id, name from mcp_servers where server_key = 'github'")).toEqual([before]);
  expect(await sql(url, "select count(*)::int as n from default_prompts")).toEqual([{ n: 24 }]);
});

test("servers have other ids in another database", async () => {
  await run(system, true);
  const ids = await sql(url, "select id from mcp_servers");
  await sql(url, "truncate mcp_servers cascade");
  await run(system, true);
  const again = await sql(url, "select id from mcp_servers");
  expect(again).toHaveLength(ids.length);
  expect(again.filter(({ id }) => ids.some((row) => row["id"] === id))).toEqual([]);
});

test("set mock makes one organization whose people all belong to it, and can be repeated", async () => {
  await run(mock, true);
  await run(mock, false);
  expect(
    await sql(
      url,
      `select o.slug, m.role::text, count(*)::int as people, bool_and(u.clerk_id ~ '^user_[0-9A-Za-z]{27}$' and
              o.clerk_id ~ '^org_[0-9A-Za-z]{27}$' and m.clerk_membership_id ~ '^orgmem_[0-9A-Za-z]{27}$') as clerk_like
         from organization_memberships m join organizations o on o.id = m.organization_id join users u on u.id = m.user_id
        group by o.slug, m.role order by m.role`,
    ),
  ).toEqual([
    { slug: "acme-robotics", role: "admin", people: 2, clerk_like: true },
    { slug: "acme-robotics", role: "member", people: 2, clerk_like: true },
    { slug: "acme-robotics", role: "viewer", people: 1, clerk_like: true },
  ]);
});
