import type { SqlSession } from "@replant/core";
import { ReplantError, sqlState } from "@replant/core";

/** The key that Prisma locks while it migrates, per database. */
const lockKey = 72_707_369;
/**
 * Holds Prisma's own advisory lock during `work`, so that `prisma migrate` and Replant never apply at once.
 * @throws ReplantError REPLANT_LOCKED naming the holder when it does not let go within `waitMs`
 */
export async function withMigrationLock<T>(session: SqlSession, waitMs: number, work: () => Promise<T>): Promise<T> {
  await acquire(session, waitMs);
  try {
    return await work();
  } finally {
    // A lost session has given the lock back by itself, and what it failed with is what the caller must see.
    await session.query("select pg_advisory_unlock($1)", [lockKey]).catch(() => undefined);
  }
}

async function acquire(session: SqlSession, waitMs: number): Promise<void> {
  const [before] = await session.query<{ timeout: string }>("select current_setting('lock_timeout') as timeout");
  const setTimeout = (timeout: string): Promise<unknown> =>
    session.query("select set_config('lock_timeout', $1, false)", [timeout]);
  await setTimeout(`${waitMs}ms`);
  try {
    await session.query("select pg_advisory_lock($1)", [lockKey]);
  } catch (error) {
    if (sqlState(error) !== "55P03") throw error;
    throw new ReplantError("REPLANT_LOCKED", `another process migrates database "${session.database}"`, {
      items: await holders(session),
      hint: "wait until it has ended, then run the command again",
      cause: error,
    });
  } finally {
    await setTimeout(before?.timeout ?? "0");
  }
}

async function holders(session: SqlSession): Promise<string[]> {
  const rows = await session.query<{ holder: string }>(
    `select format('pid %s, %s', l.pid, coalesce(nullif(a.application_name, ''), 'unnamed application')) as holder
       from pg_locks l left join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = $1 and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())`,
    [lockKey],
  );
  return rows.map((row) => row.holder);
}
