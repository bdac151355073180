import { randomUUID } from "node:crypto";
import { cpSync } from "node:fs";
import { appendFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeOptions, NodeResult, RunningNode } from "./process.ts";
import { runNode, startNode } from "./process.ts";
import { cacheHome, tempDir, writeTree } from "./temp.ts";

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
    webhook_events: true,
    identity_objects: true,
    identity_parked: true,
    identity_state: true,
  },
};
`;

async function writeReference(directory: string): Promise<void> {
  const database = join(repository, "packages/database");
  cpSync(join(database, "prisma/migrations"), join(directory, "migrations"), { recursive: true });
  cpSync(join(database, "seeds"), join(directory, "seeds"), { recursive: true });
  await symlink(join(database, "node_modules"), join(directory, "node_modules"));
  await writeFile(join(directory, "package.json"), '{ "name": "omni", "private": true, "type": "module" }\n');
  await writeFile(join(directory, "replant.config.ts"), workspaceConfig);
  // A fingerprint of its own, and so baselines of its own: tests of other files work on the same servers meanwhile.
  await appendFile(join(directory, "seeds/mcp-servers.ts"), `// ${randomUUID()}\n`);
}

/** The command looks after its own cache of compiled code, which is the one of all other programs of a run too. */
const ownCache = { NODE_COMPILE_CACHE: undefined };

/** How a workspace differs from the usual one. */
export interface WorkspaceOptions {
  /** A workspace that this one is a copy of, with all that runs left in it; the reference workspace unless given. */
  readonly copyOf?: Workspace;
  /** True: it stays until the run ends, not until the test does. */
  readonly lasting?: boolean;
}

/** Makes a workspace. `env` is added to every run: the URL of the database, or nothing for the embedded one. */
export async function makeWorkspace(
  env: Readonly<Record<string, string>> = {},
  { copyOf, lasting = false }: WorkspaceOptions = {},
): Promise<Workspace> {
  const directory = await tempDir({ lasting });
  // Synchronous: the native copy is several times faster than the asynchronous one.
  if (copyOf === undefined) await writeReference(directory);
  else cpSync(copyOf.directory, directory, { recursive: true, verbatimSymlinks: true });
  const optionsOf = (options: Partial<NodeOptions> = {}): NodeOptions => ({
    cwd: directory,
    timeoutMs: 120_000,
    ...options,
    env: { XDG_CACHE_HOME: cacheHome(), ...env, ...options.env },
  });
  return {
    directory,
    replant: (args, options) =>
      runNode(cliEntry, args, optionsOf({ ...options, env: { ...ownCache, ...options?.env } })),
    start: (args, { entry = cliEntry, ...options } = {}) => startNode(entry, args, optionsOf(options)),
    write: (files) => writeTree(directory, files),
    remove: (path) => rm(join(directory, path), { recursive: true }),
  };
}
