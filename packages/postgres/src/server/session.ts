import type { SqlSession } from "@replant/core";
import { isReplantError, ReplantError, sqlState } from "@replant/core";
import type { Client, QueryConfig, QueryResult } from "pg";
import { copyIn } from "./copy-in.ts";
import { copyOut } from "./copy-out.ts";
import { quoteLiteral } from "../shared/quote.ts";
import type { ServerAddress } from "./url.ts";

/**
 * What a session is set to, whatever the server, the database or the role would make of it: the text of a value is then the same
 * in every session, nothing is hidden, and no limit of the application ends a backup. Names that the server does not know are skipped.
 */
const sessionSettings: Readonly<Record<string, string>> = {
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  // The shortest text that reads back as the same float.
  extra_float_digits: "1",
  bytea_output: "hex",
  standard_conforming_strings: "on",
  // A policy that would hide rows is an error instead.
  row_security: "off",
  default_transaction_read_only: "off",
  default_transaction_isolation: "read committed",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
  transaction_timeout: "0",
};

/** One message, because a database may allow less time than another one takes. */
const settleSql = `
set statement_timeout = 0;
select pg_backend_pid() as pid, (select oid::text from pg_database where datname = current_database()) as oid,
  (select count(set_config(s.name, s.value, false)) from json_each_text(${quoteLiteral(JSON.stringify(sessionSettings))}) s(name, value)
   where current_setting(s.name, true) is not null) as settings`;

/** A peer that does not answer the goodbye is left without it. */
const goodbyeMs = 5_000;

/** One connection of node-postgres as a session. See `SqlSession`. */
export class PgSession implements SqlSession {
  readonly database: string;
  /** Id of the database, whatever its name is by now. */
  readonly databaseId: string;
  /** Process id of the server's backend. */
  readonly pid: number;
  /** False when a pooler stands between: then `pid` may be another one at the next statement. */
  readonly direct: boolean;
  readonly #client: Client;
  readonly #cancel: () => Promise<void>;
  readonly #names = new Map<string, string>();
  #connected = true;
  #running = 0;
  #closing: Promise<void> | undefined;

  constructor(client: Client, { database, pid, databaseId, cancel }: SessionFacts) {
    this.#client = client;
    this.database = database;
    this.databaseId = databaseId;
    this.pid = pid;
    this.direct = "processID" in client && client.processID === pid;
    this.#cancel = cancel;
    // An error says it first: the server has ended the session, and the end of the connection is still on its way.
    for (const event of ["error", "end"] as const) client.on(event, () => (this.#connected = false));
  }

  /** False once the connection has ended, whoever ended it. */
  get alive(): boolean {
    return this.#connected && this.#closing === undefined;
  }

  /** True while a statement is under way. */
  get busy(): boolean {
    return this.#running > 0;
  }

  async query<Row extends object = Record<string, unknown>>(
    sql: string,
    params: readonly unknown[] = [],
    { repeated = false }: { readonly repeated?: boolean } = {},
  ): Promise<Row[]> {
    // The extended protocol refuses a second statement.
    const config: QueryConfig<unknown[]> & { queryMode: "extended" } = {
      text: sql,
      values: [...params],
      queryMode: "extended",
      ...(repeated && this.direct ? { name: this.#nameOf(sql) } : {}),
    };
    const result = await this.#run(() => this.#client.query<Row>(config));
    return result.rows;
  }

  /** Of a statement that the server keeps. A pooler gives the next one to another server process, so there is none behind it. */
  #nameOf(sql: string): string {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    const name = `replant_${this.#names.size + 1}`;
    this.#names.set(sql, name);
    return name;
  }

  async script(sql: string): Promise<void> {
    await this.#run(() => this.#client.query(sql));
  }

  async *copyOut(sql: string): AsyncGenerator<Uint8Array> {
    this.#running += 1;
    try {
      yield* copyOut(this.#client, sql, this.#cancel);
    } finally {
      this.#running -= 1;
    }
  }

  async copyIn(sql: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#run(() => copyIn(this.#client, sql, bytes));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const timer = setTimeout(() => this.#client.connection.stream.destroy(), goodbyeMs);
    await this.#client.end().finally(() => clearTimeout(timer));
  }

  async #run<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
    }
  }
}

interface SessionFacts {
  readonly database: string;
  readonly pid: number;
  readonly databaseId: string;
  readonly cancel: () => Promise<void>;
}

/**
 * Connects and settles the session's settings. The caller closes it.
 * @throws ReplantError REPLANT_CONNECTION_FAILED with the server's error as cause
 */
export async function openSession(
  address: ServerAddress,
  { database, applicationName }: { database: string; applicationName: string },
): Promise<PgSession> {
  const client = address.client(database, applicationName);
  // Without a listener, a connection that the server ends while it is idle would end this process.
  client.on("error", () => {});
  try {
    await client.connect();
    const results = (await client.query(settleSql)) as unknown as QueryResult<{ pid: number; oid: string }>[];
    const facts = results.at(-1)?.rows[0];
    if (facts === undefined) throw new Error("the server did not say which session this is");
    const cancel = (): Promise<void> => cancelStatement(address, { database, applicationName, pid: facts.pid });
    return new PgSession(client, { database, pid: facts.pid, databaseId: facts.oid, cancel });
  } catch (error) {
    client.connection.stream.destroy();
    throw connectionError(error, { address, database });
  }
}

async function cancelStatement(
  address: ServerAddress,
  { database, applicationName, pid }: { database: string; applicationName: string; pid: number },
): Promise<void> {
  const session = await openSession(address, { database, applicationName });
  try {
    await session.query("select pg_cancel_backend($1)", [pid]);
  } finally {
    await session.close();
  }
}

/** True for the failure of `openSession` that means: there is no database of that name. */
export function isMissingDatabase(error: unknown): boolean {
  return isReplantError(error) && sqlState(error.cause) === "3D000";
}

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "start the server, or correct host and port of the database URL",
  ENOTFOUND: "correct the host of the database URL",
  ENOENT: "start the server, or correct the socket directory of the database URL",
  "28P01": "correct user and password of the database URL",
  "28000": "correct the user of the database URL, or let it in with pg_hba.conf",
  "3D000": "create the database, or correct its name in the database URL",
  "42501": "grant CONNECT on the database to the user",
  "53300": "end sessions that are not needed, or raise max_connections",
  "57P03": "the server is starting or stopping: try again in a moment",
};

function connectionError(
  error: unknown,
  { address, database }: { address: ServerAddress; database: string },
): ReplantError {
  // With several addresses for one host, Node wraps what happened to each.
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
  const code = typeof first === "object" && first !== null && "code" in first ? String(first.code) : "";
  const reason = first instanceof Error ? first.message : String(first);
  return new ReplantError(
    "REPLANT_CONNECTION_FAILED",
    `cannot connect to "${database}" at ${address.location}: ${reason}`,
    {
      hint: hints[code] ?? "check that the server runs and that the database URL is right",
      cause: first,
    },
  );
}
