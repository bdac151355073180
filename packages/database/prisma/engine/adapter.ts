import { randomUUID } from "node:crypto";
import type {
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
  SqlResultSet,
  Transaction,
} from "@prisma/driver-adapter-utils";
import type { Client, QueryResult } from "pg";
import { connect, onServer, schemaOf, withDatabase } from "./connection.ts";
import { EngineError, queryError, scriptError } from "./errors.ts";
import { valueType } from "./values.ts";

const identity = { provider: "postgres", adapterName: "@replant/database" } as const;

/** The database, and an empty one to use as shadow; without that, a temporary database is made where one is needed. */
export interface DatabaseUrls {
  readonly url: string;
  readonly shadowUrl: string | undefined;
}

/** What the engine is given: connections to the database and to shadow databases. */
export interface AdapterFactory extends SqlMigrationAwareDriverAdapterFactory {
  /** Why a connection could not be opened: the engine passes the message on, but not the code. */
  failure(): EngineError | undefined;
  /** Ends every connection and drops the shadow databases that the engine left. */
  close(): Promise<void>;
}

/** Connections on `pg`, each with its own session. */
export function adapterFactory({ url, shadowUrl }: DatabaseUrls): AdapterFactory {
  const open = new Set<SqlDriverAdapter>();
  let failure: EngineError | undefined;
  const track = async (opening: Promise<Connection>): Promise<SqlDriverAdapter> => {
    const connection = await opening.catch((error: unknown) => {
      if (error instanceof EngineError) failure = error;
      throw error;
    });
    const adapter = adapterOf(connection, async () => {
      if (!open.delete(adapter)) return;
      await connection.client.end();
      await connection.afterwards?.();
    });
    open.add(adapter);
    return adapter;
  };
  return {
    ...identity,
    connect: () => track(openDatabase(url)),
    connectToShadowDb: () => track(shadowUrl === undefined ? openNewShadow(url) : openEmptied(shadowUrl)),
    failure: () => failure,
    close: async () => {
      for (const adapter of open) await adapter.dispose();
    },
  };
}

interface Connection {
  readonly client: Client;
  readonly schema: string;
  /** What remains to be done once the client has ended. */
  readonly afterwards?: () => Promise<void>;
}

async function openDatabase(url: string): Promise<Connection> {
  return { client: await connect(url), schema: schemaOf(url) };
}

async function openNewShadow(url: string): Promise<Connection> {
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  await onServer(url, (client) => `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE template0`);
  return {
    ...(await openDatabase(withDatabase(url, name))),
    afterwards: () =>
      onServer(url, (client) => `DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`),
  };
}

async function openEmptied(url: string): Promise<Connection> {
  const connection = await openDatabase(url);
  const schema = connection.client.escapeIdentifier(connection.schema);
  await connection.client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  return connection;
}

function adapterOf({ client, schema }: Connection, dispose: () => Promise<void>): SqlDriverAdapter {
  const queryable = {
    ...identity,
    queryRaw: (query: SqlQuery) => queryRaw(client, query),
    executeRaw: async ({ sql, args }: SqlQuery) => (await run(client, { text: sql, values: args })).rowCount ?? 0,
  };
  const transaction: Transaction = {
    ...queryable,
    // The engine sends COMMIT and ROLLBACK itself, as statements.
    options: { usePhantomQuery: false },
    commit: async () => undefined,
    rollback: async () => undefined,
  };
  return {
    ...queryable,
    executeScript: (script) => runScript(client, script),
    startTransaction: async (isolation) => {
      await runScript(client, isolation === undefined ? "BEGIN" : `BEGIN ISOLATION LEVEL ${isolation}`);
      return transaction;
    },
    getConnectionInfo: () => ({ schemaName: schema, supportsRelationJoins: false }),
    dispose,
  };
}

interface Statement {
  readonly text: string;
  readonly values: unknown[];
  readonly rowMode?: "array";
}

async function run(client: Client, statement: Statement): Promise<QueryResult> {
  try {
    return await client.query(statement);
  } catch (error) {
    throw queryError(error);
  }
}

/** Text alone is one simple query message: what a script with CREATE INDEX CONCURRENTLY needs. */
async function runScript(client: Client, script: string): Promise<void> {
  try {
    await client.query(script);
  } catch (error) {
    throw scriptError(error);
  }
}

async function queryRaw(client: Client, { sql, args }: SqlQuery): Promise<SqlResultSet> {
  const { fields, rows } = await run(client, { text: sql, values: args, rowMode: "array" });
  return {
    columnNames: fields.map((field) => field.name),
    columnTypes: fields.map((field) => valueType(field.dataTypeID).column),
    rows,
  };
}
