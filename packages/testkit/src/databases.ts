import { randomBytes } from "node:crypto";
import { Client, type CustomTypesConfig, escapeIdentifier, types } from "pg";
import { inject } from "vitest";
import type { PostgresMajor } from "./postgres-binaries.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Answers `/15` and `/18` with the URL of that server, which starts at the first question. */
    readonly postgresBroker: string;
  }
}

const urls = new Map<PostgresMajor, Promise<string>>();

/** The URL, as superuser, of the maintenance database of the run's shared server; the first call of a run starts it. */
export function serverUrl(major: PostgresMajor): Promise<string> {
  const url = urls.get(major) ?? askBroker(major);
  urls.set(major, url);
  return url;
}

async function askBroker(major: PostgresMajor): Promise<string> {
  const response = await fetch(`${inject("postgresBroker")}/${major}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** The URL of another database on the server of `url`, with the same user. */
export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(name)}`;
  return changed.href;
}

/** A database that one test made for itself. */
export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Ends its sessions and drops it; does nothing when it has gone, for example by a swap. */
  drop(): Promise<void>;
}

/**
 * Creates a database under a name that no other test has: empty, or a copy of one in which nobody works. It lives until `drop`, or
 * until the run ends.
 */
export async function createDatabase(
  major: PostgresMajor,
  { prefix = "test", copyOf = "template0" }: { prefix?: string; copyOf?: string } = {},
): Promise<TestDatabase> {
  const server = await serverUrl(major);
  const name = `${prefix}_${randomBytes(6).toString("hex")}`;
  await sql(server, `create database ${escapeIdentifier(name)} template ${escapeIdentifier(copyOf)}`);
  return { name, url: databaseUrl(server, name), drop: () => dropDatabase(server, name) };
}

/** The names that begin with `prefix` (plain text, no pattern), sorted. */
export async function databaseNames(major: PostgresMajor, prefix: string): Promise<string[]> {
  const rows = await sql<{ datname: string }>(
    await serverUrl(major),
    "select datname from pg_database where starts_with(datname::text, $1) order by datname",
    [prefix],
  );
  return rows.map(({ datname }) => datname);
}

/** Drops every database whose name begins with `prefix`, whatever state it is in. */
export async function dropDatabases(major: PostgresMajor, prefix: string): Promise<void> {
  const server = await serverUrl(major);
  for (const name of await databaseNames(major, prefix)) await dropDatabase(server, name);
}

/** Also drops templates, databases that allow no connections, and those a crash left half dropped (datconnlimit -2). */
async function dropDatabase(server: string, name: string): Promise<void> {
  const quoted = escapeIdentifier(name);
  const template = await sql(server, "select from pg_database where datname = $1 and datistemplate", [name]);
  // Only here: a half-dropped database refuses ALTER.
  if (template.length > 0) await sql(server, `alter database ${quoted} is_template false`);
  await sql(server, `drop database if exists ${quoted} with (force)`);
}

/** What tests count and compare; every other type stays the server's own text. Two are missing in pg's list: name[], text[]. */
const parsedTypes = new Set<number>([
  types.builtins.BOOL,
  types.builtins.INT2,
  types.builtins.INT4,
  types.builtins.OID,
  1003,
  1009,
]);
const textTypes: CustomTypesConfig = {
  getTypeParser: ((oid, format) =>
    parsedTypes.has(oid) ? types.getTypeParser(oid, format) : (value: string) => value) as typeof types.getTypeParser,
};

/**
 * A session of one's own, for locks and open transactions; the caller ends it with `end()`.
 * Values arrive as in `sql`. That the server ends the session first is no error until the next query.
 */
export async function connect(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 30_000,
    types: textTypes,
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/**
 * Runs `text` in a session of its own and returns the rows (of the last statement, when there are several).
 * Booleans, 32-bit integers and arrays of text are JavaScript values; everything else, such as bigint, timestamps
 * and json, is the server's own text, so that comparing two results compares every digit.
 */
export async function sql<Row = Record<string, unknown>>(
  url: string,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const client = await connect(url);
  try {
    const result: unknown = await client.query(text, parameters.length > 0 ? [...parameters] : undefined);
    const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] };
    return last.rows;
  } finally {
    await client.end().catch(() => {});
  }
}
