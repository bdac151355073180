import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDatabase, runNode, sql } from "@replant/testkit";
import { expect, test } from "vitest";
import type { LoadedConfig } from "../src/index.ts";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");

async function reference(): Promise<LoadedConfig> {
  const { stdout } = await runNode(join(here, "fixtures/load.ts"), [root], { cwd: here });
  return (JSON.parse(stdout) as { loaded: LoadedConfig }).loaded;
}

test("the reference workspace's configuration names what is there", async () => {
  const loaded = await reference();
  expect(loaded).toMatchObject({
    root,
    config: {
      database: { envFiles: ["packages/database/.env", "packages/database/prisma/.env", ".env"], engine: null },
      seeds: { sets: ["system"], commands: [] },
    },
  });
  const { migrations, seeds } = loaded.config;
  expect(await readdir(join(root, migrations.directory))).toContain("migration_lock.toml");
  const [pattern = ""] = seeds.files;
  expect(await readdir(join(root, dirname(pattern)))).toContain("mcp-servers.ts");
});

test("its keep rules select the rows of present organizations and users, on a real server", async () => {
  const { keep, migrations } = (await reference()).config;
  const database = await createDatabase(18, { prefix: "config" });
  const directory = join(root, migrations.directory);
  const names = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await sql(database.url, await readFile(join(directory, name, "migration.sql"), "utf8"));
  }
  // Organization 2 and user 2 are deleted, and so is one membership of present ones.
  await sql(
    database.url,
    `insert into organizations (clerk_id, name, slug, deleted_at)
       select 'org_' || n, n, n, case when n = 2 then now() end from generate_series(1, 3) n;
     insert into users (clerk_id, email, deleted_at)
       select 'user_' || n, n, case when n = 2 then now() end from generate_series(1, 3) n;
     insert into mcp_servers (server_key, name) values ('one', 'One');
     insert into organization_memberships (organization_id, user_id, clerk_membership_id, deleted_at)
       select o.id, u.id, o.clerk_id || u.clerk_id, case when o.slug = '3' and u.email = '3' then now() end
       from organizations o, users u;
     insert into organization_services (organization_id, mcp_server_id) select o.id, s.id from organizations o, mcp_servers s;
     insert into organization_prompts (organization_id, mcp_server_id, name, template, created_by)
       select o.id, s.id, u.email, '', u.id from organizations o, mcp_servers s, users u;
     insert into organization_resources (organization_id, mcp_server_id, uri, name, created_by)
       select o.id, s.id, u.email, '', u.id from organizations o, mcp_servers s, users u;`,
  );
  const kept: Record<string, number> = {};
  for (const [table, { where }] of Object.entries(keep)) {
    const [row] = await sql<{ count: number }>(
      database.url,
      `select count(*)::int as count from ${table} where (${where}\n)`,
    );
    kept[table] = row?.count ?? -1;
  }
  expect(kept).toEqual({
    users: 2,
    organizations: 2,
    organization_memberships: 3,
    organization_services: 2,
    organization_prompts: 6,
    organization_resources: 6,
  });
  expect(keep["organization_prompts"]?.onMissing).toEqual({ created_by: "null" });
  expect(keep["organization_resources"]?.onMissing).toEqual({ created_by: "null" });
  await database.drop();
});
