import { describe, expect, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { keptRows, preparedTarget } from "./target.ts";

interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly why?: string;
  readonly state?: string;
  readonly hint?: string;
  readonly items?: readonly string[];
}

/** A reset that must fail: live is unchanged to the last row, nothing is left over, and the error says all that a person needs. */
async function fails(target: Target, args: readonly string[] = ["reset"]): Promise<ErrorDocument> {
  const before = await keptRows(target);
  const everything = await target.lines("select count(*) from mcp_servers");
  const result = await target.workspace.replant([...args, "--json"]);
  expect(result.code, result.stderr).toBe(1);
  expect(await keptRows(target)).toEqual(before);
  expect(await target.lines("select count(*) from mcp_servers")).toEqual(everything);
  expect(await target.leftovers()).toEqual([]);
  const { error } = JSON.parse(result.stdout) as { error: ErrorDocument };
  expect(error.state, result.stdout).toMatch(/not changed|NOT changed/);
  return error;
}

const migration = (name: string): string => `migrations/20991231000000_${name}/migration.sql`;

describe.each<TargetName>(["PostgreSQL 15", "embedded"])("a reset that cannot succeed on %s", (name) => {
  test("a failing migration is named with file, line and the server's words", async () => {
    const target = await preparedTarget(name);
    await target.workspace.write({
      [migration("broken")]: "-- fine\nselect 1;\nalter table users add column x int refernces y;\n",
    });
    const error = await fails(target);
    expect(error).toMatchObject({ code: "REPLANT_MIGRATION_FAILED", where: `${migration("broken")}:3` });
    expect(error.why).toContain("syntax error");
    await target.workspace.remove("migrations/20991231000000_broken");
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
  });

  test("a failing seed names itself, its file and its line", async () => {
    const target = await preparedTarget(name);
    await target.workspace.write({
      "seeds/broken.ts": `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "broken", set: "system", async run({ query }) {
  await query("insert into mcp_servers (server_key) values (null)");
} });
`,
    });
    const error = await fails(target);
    expect(error).toMatchObject({ code: "REPLANT_SEED_FAILED", where: "seeds/broken.ts:3" });
    expect(error.message).toContain("broken");
  });

  test("a seed that ends well and wrote nothing does not count as one", async () => {
    const target = await preparedTarget(name);
    await target.workspace.write({
      "seeds/lazy.ts": `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "lazy", set: "system", async run({ query }) { await query("select 1"); } });
`,
    });
    expect(await fails(target)).toMatchObject({ code: "REPLANT_SEED_EMPTY" });
  });

  test("a seed that ends the process with 0 does not end the reset with 0", async () => {
    const target = await preparedTarget(name);
    const before = await keptRows(target);
    await target.workspace.write({
      "seeds/quitter.ts": `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "quitter", set: "system", async run() { process.exit(0); } });
`,
    });
    const result = await target.workspace.replant(["reset"]);
    expect(result.code).not.toBe(0);
    expect(await keptRows(target)).toEqual(before);
    await target.workspace.remove("seeds/quitter.ts");
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    expect(await target.leftovers()).toEqual([]);
  });

  test.each([
    [
      "a column that is NOT NULL now",
      "alter table users alter column image_url set not null;",
      /^users id=0b0{6}.*image_url: null value in column "image_url"/,
    ],
    [
      "a type that changed",
      "alter table organizations alter column name type integer using 0;",
      /^organizations id=.*column "name" is now integer: invalid input syntax/,
    ],
    [
      "an enum value that is gone",
      `alter table organization_memberships alter column role drop default;
       create type role2 as enum ('admin', 'member'); alter table organization_memberships alter column role type role2 using role::text::role2;`,
      /^organization_memberships id=.*column "role" is now role2: invalid input value for enum role2/,
    ],
  ])("%s: every row that does not fit is named, and may be given up on purpose", async (_case, sql, expected) => {
    const target = await preparedTarget(name);
    await target.workspace.write({ [migration("tighten")]: sql });
    // By name: a migration that fails on the rows is another matter.
    const error = await fails(target, ["reset", "--no-replay"]);
    expect(error.code).toBe("REPLANT_ROWS_LOST");
    expect(error.items?.length).toBeGreaterThan(0);
    for (const item of error.items ?? []) expect(item).not.toBe("");
    expect(error.items?.[0]).toMatch(expected);
    expect(error.hint).toContain("--accept-loss=");
    const accepted = await target.workspace.replant(["reset", "--no-replay", "--accept-loss=*", "--json"]);
    expect(accepted.code, accepted.stderr).toBe(0);
    expect(JSON.parse(accepted.stdout).acceptedLoss.length).toBeGreaterThan(0);
  });

  test("a server that the seeds no longer have: what hangs on it is named by its key", async () => {
    const target = await preparedTarget(name);
    const [key = ""] = await target.lines("select server_key from mcp_servers order by 1 limit 1");
    const server = key.slice(1, -1);
    await target.workspace.write({ "seeds/zz-gone.ts": goneSeed(server) });
    const error = await fails(target);
    expect(error.code).toBe("REPLANT_ROWS_LOST");
    expect(error.items?.length).toBeGreaterThan(0);
    expect(error.items?.filter((item) => !item.includes(`mcp_servers with server_key=${server}`))).toEqual([]);
  });
});

function goneSeed(server: string): string {
  return `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "zz-gone", set: "system", dependsOn: ["default-prompts", "default-resources"], async run({ query }) {
  await query("delete from mcp_servers where server_key = $1", ["${server}"]);
} });
`;
}
