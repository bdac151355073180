import { tempDir, writeTree } from "@replant/testkit";
import { expect, test } from "vitest";
import { invocationOf } from "../src/invocation.ts";

const agent = (text: string): Record<string, string> => ({
  npm_lifecycle_event: "db:reset",
  npm_config_user_agent: text,
});

test.each([
  ["pnpm", agent("pnpm/12.21.0 npm/? node/?"), "pnpm db:undo", "pnpm replant reset --force --yes=app"],
  ["npm", agent("npm/11.19.1 node/v24"), "npm run db:undo", "npx replant reset --force --yes=app"],
  ["yarn", agent("yarn/4.9.0 npm/? node/v24"), "yarn db:undo", "yarn replant reset --force --yes=app"],
  ["bun", agent("bun/1.3.0 npm/? node/v24"), "bun run db:undo", "bunx replant reset --force --yes=app"],
  [
    "pnpm through npx",
    { ...agent("pnpm/12.21.0 npm/? node/?"), npm_execpath: "/home/x/.npm/_npx/9c7/node_modules/pnpm/pnpm" },
    "npx -y pnpm@12 db:undo",
    "npx -y pnpm@12 replant reset --force --yes=app",
  ],
  ["a shell", {}, "replant undo", "replant reset --force --yes=app"],
  [
    "a shell that was started by npm",
    { npm_config_user_agent: "npm/11" },
    "replant undo",
    "replant reset --force --yes=app",
  ],
])("commands are shown as they are typed under %s", async (_case, env, undo, other) => {
  const root = await tempDir();
  await writeTree(root, { "package.json": '{"scripts": {"db:undo": "replant undo", "x": "echo replant undo"}}' });
  const { replant } = invocationOf(env, root);
  expect(replant(["undo"])).toBe(undo);
  expect(replant(["reset", "--force", "--yes=app"])).toBe(other);
});

test("a script that runs the command by its path is one of ours, and odd names are quoted", async () => {
  const root = await tempDir();
  await writeTree(root, { "package.json": '{"scripts": {"back": "node apps/cli/src/bin.mjs undo"}}' });
  const { replant } = invocationOf(agent("pnpm/12.0.0"), root);
  expect(replant(["undo"])).toBe("pnpm back");
  expect(replant(["reset", "--yes=it's odd"])).toBe(String.raw`pnpm replant reset '--yes=it'\''s odd'`);
});

test("a project whose package.json cannot be read has no scripts", async () => {
  const root = await tempDir();
  await writeTree(root, { "package.json": "{" });
  expect(invocationOf(agent("pnpm/12.0.0"), root).replant(["undo"])).toBe("pnpm replant undo");
  expect(invocationOf(agent("pnpm/12.0.0"), null).replant(["undo"])).toBe("pnpm replant undo");
});
