import type { SqlSession } from "@replant/core";
import { ReplantError } from "@replant/core";
import { join } from "node:path";
import { runChild, type ChildEnd } from "./child.ts";
import type { CheckedCommandSeed } from "./command-seed.ts";
import { emptySeed } from "./failure.ts";
import { recordSeed } from "./ledger.ts";
import { hiding } from "./secrets.ts";

export interface RunCommandOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly fingerprint: string;
  readonly mustWrite: boolean;
  /** For DATABASE_URL; null where the engine cannot be reached from another process. */
  readonly url: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal | undefined;
}

/** What a child may see of our environment beside what its entry names: where programs, homes and locales are. */
const passedAlways = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "PATHEXT",
  "CI",
  "NO_COLOR",
];

/**
 * Runs a command seed on its own connection and writes its line of the ledger. Returns the rows by which tables grew.
 * @throws ReplantError REPLANT_SEED_FAILED with the end of the output | REPLANT_SEED_EMPTY | REPLANT_CANCELLED
 */
export async function runCommandSeed(
  session: SqlSession,
  seed: CheckedCommandSeed,
  options: RunCommandOptions,
): Promise<number> {
  if (options.url === null) {
    throw new ReplantError(
      "REPLANT_SEED_FAILED",
      `seed "${seed.name}" cannot run: it is a command, and the embedded database takes no connections`,
      {
        where: seed.where,
        hint: "write it with defineSeed, or use a database server",
      },
    );
  }
  const before = await countRows(session);
  const end = await runChild({
    command: seed.command,
    cwd: join(options.root, seed.cwd),
    env: childEnvironment(seed, options.url, options.environment),
    timeoutMs: seed.timeoutMs,
    signal: options.signal,
  });
  if (end.code !== 0 || end.how !== "exit") throw commandFailure(seed, end, hiding(options.url));
  const after = await countRows(session);
  const tables = [...new Set([...before.keys(), ...after.keys()])];
  const grown = tables.map((table) => (after.get(table) ?? 0) - (before.get(table) ?? 0));
  if (options.mustWrite && !seed.mayBeEmpty && grown.every((rows) => rows === 0)) {
    throw emptySeed(seed).with({ excerpt: hiding(options.url)(end.output) });
  }
  const rows = grown.filter((count) => count > 0).reduce((sum, count) => sum + count, 0);
  await recordSeed(session, { name: seed.name, set: seed.set, fingerprint: options.fingerprint, rows });
  return rows;
}

function childEnvironment(
  seed: CheckedCommandSeed,
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const names = [...passedAlways, ...seed.passEnv];
  const passed = names.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), DATABASE_URL: url };
}

function commandFailure(seed: CheckedCommandSeed, end: ChildEnd, hide: (text: string) => string): ReplantError {
  if (end.how === "aborted") return new ReplantError("REPLANT_CANCELLED", `seed "${seed.name}" was interrupted`);
  return new ReplantError("REPLANT_SEED_FAILED", `seed "${seed.name}" failed`, {
    where: seed.where,
    why: hide(end.why),
    ...(end.output === "" ? {} : { excerpt: hide(end.output) }),
  });
}

/** Exact counts of every user table, by name; in two queries, because the first writes the second. */
async function countRows(session: SqlSession): Promise<Map<string, number>> {
  const [count] = await session.query<{ sql: string | null }>(
    `select string_agg(format('select %L as name, count(*)::text as rows from %I.%I', c.oid::regclass::text, n.nspname, c.relname), ' union all ') as sql
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
        and n.nspname not in ('pg_catalog', 'information_schema', 'replant')`,
  );
  const rows =
    count?.sql === null || count === undefined ? [] : await session.query<{ name: string; rows: string }>(count.sql);
  return new Map(rows.map((row) => [row.name, Number(row.rows)]));
}
