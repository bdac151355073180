import { Client } from "pg";
import { connectionError, EngineError } from "./errors.ts";
import type { Place } from "./errors.ts";
import { valueType } from "./values.ts";

/** Prisma's `?schema=`, which is no parameter of the server. */
export function schemaOf(url: string): string {
  return new URL(url).searchParams.get("schema") ?? "public";
}

/** Database, host, port and user of a URL; never its password. */
export function placeOf(url: string): Place {
  const { host, port, user = "", database = "" } = new Client({ connectionString: url });
  return { host, port, user, database };
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

/**
 * An open connection whose values arrive as the engine wants them. The caller ends it.
 * @throws EngineError P1000 | P1001 | P1003 | P1010 | P1012
 */
export async function connect(url: string): Promise<Client> {
  if (url === "") throw new EngineError("P1012", "no database URL: set DATABASE_URL");
  const client = new Client({
    connectionString: url,
    types: { getTypeParser: (oid: number) => valueType(oid).parse },
  });
  // A connection that breaks while idle fails the next statement; without a listener it would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const schema = schemaOf(url);
    if (schema !== "public") await client.query(`SET search_path = ${client.escapeIdentifier(schema)}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw connectionError(error, placeOf(url));
  }
}

const MAINTENANCE_DATABASE = "postgres";

/** Runs one statement (CREATE or DROP DATABASE) beside the database of `url`. */
export async function onServer(url: string, statement: (client: Client) => string): Promise<void> {
  const client = await connect(withDatabase(url, MAINTENANCE_DATABASE));
  try {
    await client.query(statement(client));
  } finally {
    await client.end();
  }
}
