import type { ExplainReport, SwapReport } from "@replant/core";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceConfig } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { keptRows, preparedTarget } from "./target.ts";

const tighten = {
  "migrations/20991231000000_tighten/migration.sql": "alter table users alter column image_url set not null;",
};

/** Users 6 to 8 have no image, and are members of four organizations: they do not fit what the migration asks. */
async function leaveRowsBehind(target: Target): Promise<string> {
  await target.script("update users set image_url = 'https://example.com/' || clerk_id where clerk_id <= 'user_5'");
  await target.workspace.write(tighten);
  const { acceptedLoss, run } = await answer<SwapReport>(target, ["reset", "--no-replay", "--accept-loss=*"]);
  expect(acceptedLoss.map(({ table, rows }) => [table, rows])).toEqual([
    ["users", 3],
    ["organization_memberships", 4],
  ]);
  return run;
}

async function answer<Value>(target: Target, args: readonly string[]): Promise<Value> {
  const result = await target.workspace.replant([...args, "--json"]);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return JSON.parse(result.stdout) as Value;
}

async function refusal(target: Target, args: readonly string[]): Promise<{ code: string; items?: readonly string[] }> {
  const result = await target.workspace.replant([...args, "--json"]);
  expect(result.code, result.stdout).not.toBe(0);
  return (JSON.parse(result.stdout) as { error: { code: string; items?: readonly string[] } }).error;
}

const filled = workspaceConfig.replace(
  'users: "deleted_at is null",',
  `users: { where: "deleted_at is null", columns: { image_url: { convert: "coalesce(image_url, 'none')" } } },`,
);

const people = "select clerk_id, id, image_url from users order by 1";
const members = "select clerk_membership_id, id, organization_id, user_id from organization_memberships order by 1";

describe.each<TargetName>(["PostgreSQL 18", "embedded"])("rows that a run left behind, on %s", (name) => {
  test("come back once a rule takes them, and what happened to live since stays", async () => {
    const target = await preparedTarget(name);
    const membersBefore = await target.lines(members);
    const run = await leaveRowsBehind(target);
    await target.script("delete from organization_memberships where clerk_membership_id = 'orgmem_1_2'");
    const early = await keptRows(target);
    const refused = await refusal(target, ["retry", run]);
    expect(refused.code).toBe("REPLANT_ROWS_LOST");
    expect(refused.items).toHaveLength(7);
    expect(refused.items?.[0]).toContain('image_url: null value in column "image_url"');
    expect(await keptRows(target)).toEqual(early);

    const exported = await answer<{ rows: number }>(target, ["explain", run, "--export", "left.json"]);
    expect(exported.rows).toBe(7);
    const file = await readFile(join(target.workspace.directory, "left.json"), "utf8");
    const { tables } = JSON.parse(file) as { tables: Record<string, Record<string, unknown>[]> };
    expect(tables["users"]?.map((row) => row["email"])).toEqual([6, 7, 8].map((n) => `person${n}@example.com`));
    expect(tables["organization_memberships"]).toHaveLength(4);
    expect(tables["organizations"]).toEqual([]);

    await target.workspace.write({ "replant.config.ts": filled });
    const { retried, acceptedLoss } = await answer<SwapReport>(target, ["retry"]);
    expect(acceptedLoss).toEqual([]);
    expect(retried).toMatchObject({ run, asked: 7, returned: 7, byRule: 0, left: [] });
    expect(await target.lines(members)).toEqual(membersBefore.filter((line) => !line.startsWith("(orgmem_1_2,")));
    expect((await target.lines(people)).filter((line) => line.endsWith(",none)"))).toHaveLength(3);
    const explained = await answer<ExplainReport>(target, ["explain"]);
    expect(explained.retried).toEqual(retried);

    const again = await refusal(target, ["retry", run]);
    expect(again.items?.filter((item) => item.includes("live has a row with the same key"))).toHaveLength(7);
    expect((await refusal(target, ["retry", explained.run])).code).toBe("REPLANT_NOTHING_TO_RETRY");
  });

  test("give way to what live has under their key, and are named again", async () => {
    const target = await preparedTarget(name);
    await leaveRowsBehind(target);
    // The same person came back, as another row.
    await target.script(`insert into users (id, clerk_id, email, image_url)
      values ('0f000000-0000-4000-8000-000000000007', 'user_7', 'person7@example.com', 'new')`);
    await target.workspace.write({ "replant.config.ts": filled });
    const { retried } = await answer<SwapReport>(target, ["retry"]);
    expect(retried?.returned).toBe(5);
    expect(retried?.left.map(({ row }) => row)).toEqual([
      "id=0b000000-0000-4000-8000-000000000007",
      expect.stringMatching(/^id=0c/),
    ]);
    expect(retried?.left[0]?.reason).toBe(
      "live has a row with the same key of users: clerk_id=user_7 and email=person7@example.com",
    );
    expect((await target.lines(people)).filter((line) => line.startsWith("(user_7,"))).toEqual([
      "(user_7,0f000000-0000-4000-8000-000000000007,new)",
    ]);
  });
});
