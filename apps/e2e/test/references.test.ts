import type { ResetPlan, SwapReport } from "@replant/core";
import { workspaceConfig } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { addSyncedRows, keptRows, openTarget } from "./target.ts";

async function prepared(name: TargetName): Promise<Target> {
  const target = await openTarget(name);
  expect((await target.workspace.replant(["reset"])).code).toBe(0);
  await addSyncedRows(target);
  return target;
}

async function answer<Value>(target: Target, args: readonly string[]): Promise<Value> {
  const result = await target.workspace.replant([...args, "--json"]);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return JSON.parse(result.stdout) as Value;
}

/** The configuration with another rule for one table. */
function ruled(table: string, rule: string): Record<string, string> {
  const line = new RegExp(`^    ${table}: .*,$`, "m");
  expect(workspaceConfig).toMatch(line);
  return { "replant.config.ts": workspaceConfig.replace(line, () => `    ${table}: ${rule},`) };
}

describe.each<TargetName>(["PostgreSQL 15", "embedded"])("what kept rows mean, on %s", (name) => {
  test("ids inside json follow the seeds, what is gone is a seeded row, and the report says both", async () => {
    const target = await prepared(name);
    await target.script(`insert into mcp_servers (server_key, name) values ('retired', 'Retired');
      update organization_services set configuration = configuration || jsonb_build_object('servers', jsonb_build_array(jsonb_build_object('id', mcp_server_id, 'n', 1.50)));
      update organization_services set mcp_server_id = (select id from mcp_servers where server_key = 'retired')
        where mcp_server_id = (select id from mcp_servers where server_key = 'linear');
      update organization_services set configuration = jsonb_set(configuration, '{servers,0,id}', to_jsonb(mcp_server_id::text));`);
    await target.workspace.write({
      ...ruled(
        "organization_services",
        `{ onMissing: { mcp_server_id: { seed: "slack" } }, references: [{ path: "configuration.servers.*.id", table: "mcp_servers", onMissing: "null" }] }`,
      ),
      // The seeds give other ids when the baseline is built anew.
      "seeds/again.ts": `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "again", set: "system", dependsOn: ["mcp-servers"], run: ({ upsert }) => upsert("mcp_servers", [{ server_key: "again", name: "Again" }], { key: ["server_key"] }) });
`,
    });
    const before = await target.lines("select id, server_key from mcp_servers order by 2");
    const { carried } = await answer<SwapReport>(target, ["reset"]);
    expect(await target.lines("select id, server_key from mcp_servers order by 2")).not.toEqual(before);
    const rows =
      await target.lines(`select s.server_key, configuration #>> '{servers,0,id}' = s.id::text, configuration #>> '{servers,0,n}'
      from organization_services x join mcp_servers s on s.id = x.mcp_server_id order by 1`);
    expect(rows).toContain("(slack,,1.50)");
    expect(rows.filter((row) => row.endsWith(",t,1.50)"))).toHaveLength(4);
    const missing = carried?.missing.map(({ constraint, rule, rows: count }) => [constraint, rule, count]);
    expect(missing).toEqual([
      ["organization_services_mcp_server_id_fkey", "seed", 1],
      ["rule:configuration.servers.*.id", "null", 1],
    ]);
    const inJson = carried?.repointed.find(({ constraint }) => constraint === "rule:configuration.servers.*.id");
    expect(inJson?.rows).toBe(4);
    expect(inJson?.mappings.map(({ key }) => key)).toContain("server_key=github");
  });

  test("a plan names kept rows that point at rows which are not kept, and the rule that it prints mends it", async () => {
    const target = await prepared(name);
    await target.script(`insert into organization_memberships (organization_id, user_id, clerk_membership_id)
      select o.id, u.id, 'orgmem_gone' from organizations o, users u where o.clerk_id = 'org_2' and u.deleted_at is not null`);
    await target.workspace.write(ruled("organization_memberships", JSON.stringify("deleted_at is null")));
    const planned = async (): Promise<ResetPlan> => (await answer<{ plan: ResetPlan }>(target, ["plan"])).plan;
    const [warning = ""] = (await planned()).warnings;
    expect(warning).toBe(
      'organization_memberships: 1 row points at users that are not kept (user_id); add to its rule: user_id in (select id from users where deleted_at is null), or say onMissing: { user_id: "drop-row" }',
    );
    const condition = /add to its rule: (.*), or say/.exec(warning)?.[1] ?? "";
    await target.workspace.write(
      ruled("organization_memberships", JSON.stringify(`deleted_at is null and ${condition}`)),
    );
    expect((await planned()).warnings).toEqual([]);
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
  });

  test("a row that vanishes on its way stops the run before the swap; a trigger that always fires does not", async () => {
    const target = await prepared(name);
    const before = await keptRows(target);
    await target.workspace.write({
      "migrations/20991231000000_loud/migration.sql": `create function swallow() returns trigger language plpgsql as $f$ begin return null; end $f$;
        create trigger swallow before insert or update on organization_prompts for each row execute function swallow();
        alter table organization_prompts enable always trigger swallow;`,
    });
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    expect(await keptRows(target)).toEqual(before);
    await target.workspace.write({
      "migrations/20991231000001_rule/migration.sql": `create rule swallow as on insert to organization_prompts where new.name = 'custom-prompt-2' do instead nothing;`,
    });
    const result = await target.workspace.replant(["reset", "--json"]);
    expect(result.code, result.stderr).toBe(1);
    const { error } = JSON.parse(result.stdout) as { error: { code: string; items: string[]; state: string } };
    expect(error).toMatchObject({
      code: "REPLANT_VERIFY_FAILED",
      items: [
        "organization_prompts: 3 rows in the backup, but 2 read back unchanged, 0 dropped by rule, 0 quarantined",
      ],
      state: expect.stringContaining("NOT changed"),
    });
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);
  });
});
