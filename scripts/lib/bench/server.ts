import type { SqlSession } from "../../../packages/core/src/index.ts";
import { openSession } from "../../../packages/postgres/src/server/session.ts";
import { parseServerUrl } from "../../../packages/postgres/src/server/url.ts";
import type { PostgresMajor } from "../../../packages/testkit/src/postgres-binaries.ts";
import { type PostgresServer, startPostgres } from "../../../packages/testkit/src/postgres-server.ts";
import { keptCounts, keptRows, keptSql, migrations, seedSql } from "./database.ts";

/** A server of the bench's own, with durable commits and otherwise the settings that PostgreSQL comes with. */
export interface BenchServer {
  readonly version: string;
  url(database?: string): string;
  /** Work in a session of one database; the maintenance database unless named. */
  on<Value>(database: string | undefined, work: (session: SqlSession) => Promise<Value>): Promise<Value>;
  stop(): Promise<void>;
}

export async function startServer(major: PostgresMajor): Promise<BenchServer> {
  const server: PostgresServer = await startPostgres(major, {
    fsync: true,
    settings: { shared_buffers: "128MB", max_connections: "100" },
  });
  const on: BenchServer["on"] = async (database, work) => {
    const url = server.url(database);
    const session = await openSession(parseServerUrl(url), {
      database: database ?? "postgres",
      applicationName: "replant-bench",
    });
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  };
  const [row] = await on(undefined, (session) =>
    session.query<{ version: string }>("select current_setting('server_version') as version"),
  );
  return { version: row?.version ?? "", url: (database) => server.url(database), on, stop: () => server.stop() };
}

/** An empty database. */
export async function createDatabase(server: BenchServer, name: string, template = "template0"): Promise<void> {
  await server.on(undefined, (session) => session.script(`create database ${name} template ${template}`));
}

/** The database of the bench without what people have added: migrations and seed. */
export async function createByHand(server: BenchServer, name: string): Promise<void> {
  await createDatabase(server, name);
  await server.on(name, async (session) => {
    for (const { sql } of migrations()) await session.script(sql);
    await session.script(seedSql());
  });
}

/** Rows that must survive. */
export async function countKept(session: SqlSession): Promise<number> {
  const counts = Object.keys(keptCounts).map((table) => `(select count(*) from ${table})`);
  const [row] = await session.query<{ rows: number }>(`select (${counts.join(" + ")})::int as rows`);
  return row?.rows ?? 0;
}

/** Adds them where they are gone. */
export async function refill(session: SqlSession): Promise<void> {
  const rows = await countKept(session);
  if (rows === 0) await session.script(keptSql());
  else if (rows !== keptRows) throw new Error(`${session.database} has ${rows} rows to keep, neither none nor all`);
}
