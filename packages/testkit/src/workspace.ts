import { cp, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeOptions, NodeResult, RunningNode } from "./process.ts";
import { runNode, startNode } from "./process.ts";
import { tempDir, writeTree } from "./temp.ts";
import { inject } from "vitest";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const cliEntry = join(repository, "apps/cli/src/bin.mjs");

/** A project of its own with the reference workspace's migrations, seeds and keep rules, which a test may change. */
export interface Workspace {
  readonly directory: string;
  /** Runs `replant` in it. */
  replant(args: readonly string[], options?: Partial<NodeOptions>): Promise<NodeResult>;
  /** Starts `replant`, or another program with its arguments, in it. */
  start(args: readonly string[], options?: Partial<NodeOptions> & { readonly entry?: string }): RunningNode;
  /** Writes files, by path from its root. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  remove(path: string): Promise<void>;
}

/** The configuration that `makeWorkspace` writes; a test that needs another one writes over it. */
export const workspaceConfig = `export default {
  project: "omni",
  migrations: { tool: "prisma", directory: "migrations" },
  seeds: { files: ["seeds/*.ts"], sets: ["system"] },
  keep: {
    users: "deleted_at is null",
    organizations: "deleted_at is null",
    organization_memberships: "deleted_at is null and user_id in (select id from users where deleted_at is null) and organization_id in (select id from organizations where deleted_at is null)",
    organization_prompts: { onMissing: { created_by: "null" } },
    organization_resources: { onMissing: { created_by: "null" } },
    organization_services: true,
  },
};
`;

/** Makes a workspace. `env` is added to every run: the URL of the database, or nothing for the embedded one. */
export async function makeWorkspace(env: Readonly<Record<string, string>> = {}): Promise<Workspace> {
  const directory = await tempDir();
  const database = join(repository, "packages/database");
  await cp(join(database, "prisma/migrations"), join(directory, "migrations"), { recursive: true });
  await cp(join(database, "seeds"), join(directory, "seeds"), { recursive: true });
  await symlink(join(database, "node_modules"), join(directory, "node_modules"));
  await writeFile(join(directory, "package.json"), '{ "name": "omni", "private": true, "type": "module" }\n');
  await writeFile(join(directory, "replant.config.ts"), workspaceConfig);
  const optionsOf = (options: Partial<NodeOptions> = {}): NodeOptions => ({
    cwd: directory,
    timeoutMs: 120_000,
    ...options,
    // One cache for all workspaces of a run: the empty embedded database is made once.
    env: { XDG_CACHE_HOME: join(inject("tempRoot"), "cache"), ...env, ...options.env },
  });
  return {
    directory,
    replant: (args, options) => runNode(cliEntry, args, optionsOf(options)),
    start: (args, { entry = cliEntry, ...options } = {}) => startNode(entry, args, optionsOf(options)),
    write: (files) => writeTree(directory, files),
    remove: (path) => rm(join(directory, path), { recursive: true }),
  };
}
