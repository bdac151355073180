import type { SqlSession, TargetFacts } from "@replant/core";
import { isReplantError, sqlState } from "@replant/core";
import type { Connections } from "./connections.ts";
import { swapBlockers } from "./blockers.ts";
import { isMissingDatabase, type PgSession } from "./session.ts";
import { foreignSessions } from "./sessions.ts";
import type { ServerAddress } from "./url.ts";
import { readEnvironment, readExtensions } from "../shared/insides.ts";

/** Reads the server and live, and changes nothing. See `Engine.probe`. */
export async function probeServer(connections: Connections, address: ServerAddress): Promise<TargetFacts> {
  const live = await openLive(connections, address.database);
  try {
    const view = await observe(connections, live);
    try {
      return await readFacts({ connections, address, live, ...view });
    } finally {
      await view.observer.close();
    }
  } finally {
    await live?.close();
  }
}

/** A session that sees the whole server. Live tells as much of itself when the maintenance database is out of reach. */
async function observe(
  connections: Connections,
  live: PgSession | null,
): Promise<{ observer: PgSession; unreachable: Error | null }> {
  try {
    return { observer: await connections.openMaintenance(), unreachable: null };
  } catch (error) {
    if (live === null || !isReplantError(error)) throw error;
    return { observer: live, unreachable: error };
  }
}

async function openLive(connections: Connections, name: string): Promise<PgSession | null> {
  try {
    return await connections.open(name);
  } catch (error) {
    if (isMissingDatabase(error)) return null;
    throw error;
  }
}

interface ServerRow {
  readonly version: string;
  readonly major: number;
  readonly encoding: string;
  readonly collation: string;
  readonly sizeBytes: string | null;
}

// Without live, what a new database would be: template0 has the server's defaults.
const serverSql = `
select split_part(current_setting('server_version'), ' ', 1) as version, current_setting('server_version_num')::int / 10000 as major,
  pg_encoding_to_char(d.encoding) as encoding,
  coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate) as collation,
  case when d.oid = $1::oid then pg_database_size(d.oid)::text end as "sizeBytes"
from pg_database d where case when $1::oid is null then d.datname = 'template0' else d.oid = $1::oid end`;

interface Probe {
  readonly connections: Connections;
  readonly address: ServerAddress;
  readonly live: PgSession | null;
  readonly observer: PgSession;
  /** Why the maintenance database cannot be reached. */
  readonly unreachable: Error | null;
}

async function readFacts({ connections, address, live, observer, unreachable }: Probe): Promise<TargetFacts> {
  const id = live?.databaseId ?? null;
  const [server] = await observer.query<ServerRow>(serverSql, [id]);
  if (server === undefined) throw new Error(`"${address.database}" vanished while it was read`);
  return {
    engine: "server",
    database: address.database,
    live: id === null ? null : { name: address.database, id },
    location: address.location,
    local: address.local,
    systemIdentifier: await readSystemIdentifier(observer),
    serverVersion: server.version,
    serverMajor: server.major,
    encoding: server.encoding,
    collation: server.collation,
    extensions: live === null ? [] : await readExtensions(live),
    sizeBytes: Number(server.sizeBytes ?? 0),
    sessions: id === null ? [] : await foreignSessions(observer, { id, own: connections.pids() }),
    swapBlockers: await swapBlockers(observer, { id, database: address.database, unreachable }),
    environment: live === null ? null : await readEnvironment(live),
  };
}

/** Some hosts keep it to themselves; then backups of two of their clusters cannot be told apart by it. */
async function readSystemIdentifier(session: SqlSession): Promise<string> {
  try {
    const [row] = await session.query<{ id: string }>("select system_identifier::text as id from pg_control_system()");
    return row?.id ?? "unknown";
  } catch (error) {
    if (sqlState(error) === "42501") return "unknown";
    throw error;
  }
}
