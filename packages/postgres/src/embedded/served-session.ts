import type { SqlSession } from "@replant/core";
import { openSession } from "../server/session.ts";

/**
 * A session on a live database that another process serves, so that a command which only reads need not interrupt the clients of
 * that one. It takes turns with them.
 * @throws ReplantError REPLANT_CONNECTION_FAILED
 */
export async function servedSession(port: number, database: string): Promise<SqlSession> {
  const { Client } = await import("pg");
  const host = "127.0.0.1";
  return openSession(
    {
      database,
      location: `${host}:${port}`,
      local: true,
      client: (name, applicationName) =>
        new Client({ host, port, user: "postgres", database: name, application_name: applicationName }),
    },
    { database, applicationName: "replant" },
  );
}
