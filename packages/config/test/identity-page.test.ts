import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempDir, writeTree } from "@replant/testkit";
import { expect, test } from "vitest";
import { parseConfig, type UserConfig } from "../src/index.ts";

const page = await readFile(new URL("../../../docs/identity.md", import.meta.url), "utf8");

/** What one of the page's modules exports. */
async function exported(path: string): Promise<unknown> {
  const directory = await tempDir();
  const [, text = ""] =
    new RegExp(`^\`\`\`ts\\n// ${path.replace(".", "\\.")}\\n([^]*?)^\`\`\`$`, "m").exec(page) ?? [];
  expect(text).not.toBe("");
  await writeTree(directory, { [path]: text });
  await mkdir(join(directory, "node_modules/@replant"), { recursive: true });
  const config = fileURLToPath(new URL("..", import.meta.url));
  await symlink(config, join(directory, "node_modules/@replant/config"), "junction");
  return import(/* @vite-ignore */ join(directory, path));
}

test("the page's configuration is one", async () => {
  const { default: config } = (await exported("replant.config.ts")) as { default: UserConfig };
  const { identity, keep } = parseConfig(config, "/acme/replant.config.ts");
  expect(identity).toMatchObject({ provider: "clerk", users: null, secretKeyVariable: "CLERK_SECRET_KEY" });
  expect(Object.keys(keep)).toEqual(["users", "organizations", "organization_memberships"]);
});

test("the page's own tables and roles are a mapping", async () => {
  const { identity } = (await exported("own-tables.ts")) as Pick<UserConfig, "identity">;
  const config = { migrations: { tool: "prisma", directory: "migrations" }, identity } as const;
  expect(parseConfig(config, "/acme/replant.config.ts").identity).toMatchObject({
    users: { table: "auth.people", deletedAt: "left_at" },
    memberships: { user: "person_id", organization: "team_id", deletedAt: null },
    roles: { "org:admin": "owner", "org:member": "member" },
    tables: { inbox: "auth.messages" },
  });
});
