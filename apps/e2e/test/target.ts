import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { openEmbedded, preferQuickStart } from "@replant/postgres/embedded";
import { openServer } from "@replant/postgres/server";
import type { PostgresMajor, Workspace, WorkspaceOptions } from "@replant/testkit";
import { createDatabase, imageDirectory, makeWorkspace } from "@replant/testkit";
import { onTestFinished } from "vitest";

/** A workspace and its live database, on one engine. */
export interface Target {
  readonly workspace: Workspace;
  /** The live database's URL; null for the embedded one. */
  readonly url: string | null;
  /** The live database's name. */
  readonly database: string;
  /** Runs SQL on live, whatever it is now. */
  script(sql: string): Promise<void>;
  /** Rows of live as the server's text. */
  lines(sql: string): Promise<string[]>;
  /** Databases of this target that are neither live nor a baseline nor the one previous: what a crash may leave. */
  leftovers(): Promise<string[]>;
  engine(): Engine;
}

export type TargetName = "PostgreSQL 15" | "PostgreSQL 18" | "embedded";
export const targetNames: readonly TargetName[] = ["PostgreSQL 15", "PostgreSQL 18", "embedded"];

const majors = { "PostgreSQL 15": 15, "PostgreSQL 18": 18 } as const;

/** A target without any database of Replant's. */
export function openTarget(name: TargetName): Promise<Target> {
  return makeTarget(name, {});
}

/** A target after its first reset, with the rows that a reset must keep: a copy of one that each test file makes once. */
export async function preparedTarget(name: TargetName): Promise<Target> {
  const original = originals.get(name) ?? prepare(name);
  originals.set(name, original);
  return makeTarget(name, { copyOf: await original });
}

const originals = new Map<TargetName, Promise<Target>>();

async function prepare(name: TargetName): Promise<Target> {
  const target = await makeTarget(name, { lasting: true });
  const { code, stderr } = await target.workspace.replant(["reset"]);
  if (code !== 0) throw new Error(stderr);
  await addSyncedRows(target);
  return target;
}

interface TargetOptions {
  readonly copyOf?: Target;
  /** True: it stays until the run ends, not until the test does. */
  readonly lasting?: boolean;
}

async function makeTarget(name: TargetName, { copyOf, lasting = false }: TargetOptions): Promise<Target> {
  const options = { lasting, ...(copyOf && { copyOf: copyOf.workspace }) };
  const made =
    name === "embedded"
      ? await embeddedTarget(options)
      : await serverTarget(majors[name], { ...options, ...(copyOf && { original: copyOf.database }) });
  if (!lasting) onTestFinished(() => clear(made));
  return made;
}

/** Drops what a test left, but the baselines of others. */
async function clear(made: Target): Promise<void> {
  const engine = made.engine();
  const own = (await engine.managed()).filter(({ live }) => live === made.database);
  for (const managed of own) await engine.drop(managed).catch(() => undefined);
  await engine.close();
}

async function serverTarget(
  major: PostgresMajor,
  { original, ...options }: WorkspaceOptions & { readonly original?: string },
): Promise<Target> {
  const { name: database, url } = await createDatabase(major, { prefix: "e2e", ...(original && { copyOf: original }) });
  const workspace = await makeWorkspace({ DATABASE_URL: url }, options);
  return target({ workspace, url, database, open: () => openServer({ url }) });
}

async function embeddedTarget(options: WorkspaceOptions): Promise<Target> {
  await preferQuickStart();
  const workspace = await makeWorkspace({}, options);
  const state = join(workspace.directory, ".replant");
  const open = (): Engine =>
    openEmbedded({
      directory: join(state, "pg/app"),
      name: "app",
      files: nodeFiles(),
      cacheDirectory: join(state, "cache"),
      imageDirectory: imageDirectory(),
    });
  return target({ workspace, url: null, database: "app", open });
}

function target({
  workspace,
  url,
  database,
  open,
}: {
  workspace: Workspace;
  url: string | null;
  database: string;
  open: () => Engine;
}): Target {
  const onLive = async <Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value> => {
    const engine = open();
    try {
      const live = await engine.liveRef();
      if (live === null) throw new Error("there is no live database");
      const session = await engine.connect(live);
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    } finally {
      await engine.close();
    }
  };
  return {
    workspace,
    url,
    database,
    script: (sql) => onLive((session) => session.script(sql)),
    lines: (sql) =>
      onLive(async (session) =>
        (await session.query<{ line: string }>(`select (q.*)::text as line from (${sql}) q`)).map(({ line }) => line),
      ),
    leftovers: async () => {
      const engine = open();
      const managed = await engine.managed();
      await engine.close();
      const names = managed.filter(({ role }) => role !== "baseline" && role !== "previous").map((other) => other.name);
      return names;
    },
    engine: open,
  };
}

/** The 39 rows that a reset must keep, and the soft-deleted user that it must not. */
export async function addSyncedRows(on: Target): Promise<void> {
  const path = new URL("../../../packages/database/samples/synced-rows.sql", import.meta.url);
  await on.script(await readFile(path, "utf8"));
}

const keptQueries = [
  "select * from organizations where deleted_at is null order by id",
  "select * from users where deleted_at is null order by id",
  "select * from organization_memberships order by id",
  "select s.server_key, to_jsonb(x) - 'mcp_server_id' from organization_services x join mcp_servers s on s.id = x.mcp_server_id order by x.id",
  "select s.server_key, to_jsonb(x) - 'mcp_server_id' from organization_prompts x join mcp_servers s on s.id = x.mcp_server_id order by x.id",
  "select s.server_key, to_jsonb(x) - 'mcp_server_id' from organization_resources x join mcp_servers s on s.id = x.mcp_server_id order by x.id",
];

/** Every kept row as text, servers by what they are called: equal before and after, or something was lost. One query, one session. */
export function keptRows(on: Target): Promise<string[]> {
  return on.lines(keptQueries.map((sql, n) => `(select ${n} as n, (q.*)::text from (${sql}) q)`).join(" union all "));
}
