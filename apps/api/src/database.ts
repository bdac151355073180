import { isReplantError, messageOf, type SqlSession, sqlState } from "@replant/core";
import { Pool } from "pg";
import { Unavailable } from "./problem.ts";

/** The application's database, whatever stands behind its name at the moment. */
export interface Database extends Pick<SqlSession, "query"> {
  /** Ends the connections once nobody uses them. */
  close(): Promise<void>;
}

/**
 * A pool that outlives its connections: those that a reset ends are thrown away, the next query opens others, and a query that
 * meets the gap in between is `Unavailable`.
 */
export function openDatabase(url: string, log: (message: string) => void): Database {
  const pool = new Pool({ connectionString: url, application_name: "api", connectionTimeoutMillis: 5_000 });
  // Without a listener, a connection that the server ends while it is idle would end this process.
  pool.on("error", (error) => log(`a connection was lost: ${messageOf(error)}`));
  return {
    query: async <Row extends object>(sql: string, params: readonly unknown[] = []) => {
      try {
        return (await pool.query<Row>(sql, [...params])).rows;
      } catch (error) {
        throw isAway(error) ? new Unavailable(error) : error;
      }
    },
    close: () => pool.end(),
  };
}

/**
 * Whether an error says that there is no database at the moment: no connection, no more connections, a session that was ended
 * (57P01), no database of that name (3D000), or one that lets nobody in (55000). What has no SQLSTATE is of the connection.
 */
export function isAway(error: unknown): boolean {
  if (isReplantError(error)) return error.code === "REPLANT_CONNECTION_FAILED";
  const state = sqlState(error);
  return state === undefined || /^(08|3D|53|57P|55000)/.test(state);
}
