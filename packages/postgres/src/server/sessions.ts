import type { ForeignSession, SqlSession } from "@replant/core";

// The server tells the kind of a session only to those who may see it; workers of its own have no user.
const isSession = `a.usesysid is not null and a.backend_type is distinct from 'parallel worker'`;

/** Superusers' sessions are ended by superusers alone, those of other roles by who has their role or may signal all. */
const isSignalable = `exists (select from pg_roles me, pg_roles it where me.rolname = current_user and it.oid = a.usesysid
  and (me.rolsuper or not it.rolsuper and (pg_has_role(it.oid, 'USAGE') or pg_has_role('pg_signal_backend', 'USAGE'))))`;

const label = `format('pid %s, application "%s", user "%s"', a.pid, a.application_name, a.usename)`;

/** Sessions of others on a database, oldest first. */
export async function foreignSessions(
  session: SqlSession,
  { id, own }: { id: string; own: readonly number[] },
): Promise<ForeignSession[]> {
  return session.query<ForeignSession>(
    `select a.pid, a.application_name as application, coalesce(a.usename::text, '') as user, coalesce(a.state, 'unknown') as state,
       coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.backend_start)) * 1000, 0)::float8 as "ageMs"
     from pg_stat_activity a where a.datid = $1::oid and ${isSession} and a.pid <> all($2::int[]) order by a.backend_start, a.pid`,
    [id, own],
  );
}

/** Sessions on these databases that we may not end, one line each. */
export async function unsignalable(session: SqlSession, ids: readonly string[]): Promise<string[]> {
  const rows = await session.query<{ line: string }>(
    `select ${label} as line from pg_stat_activity a where a.datid = any($1::oid[]) and ${isSession} and not ${isSignalable} order by a.pid`,
    [ids],
  );
  return rows.map(({ line }) => line);
}

export interface Eviction {
  /** Backend of the session that swaps. */
  readonly swapper: number;
  /** OIDs; live is null when there is none. */
  readonly live: string | null;
  readonly candidate: string;
  /** The fence's backend on live. */
  readonly spared: number | null;
}

export interface Evicted {
  /** True once the swapper has its lock on live: nobody can connect any more. */
  readonly locked: boolean;
  /** Sessions on live that were told to go. */
  readonly ended: readonly number[];
  /** Sessions that may not be told, one line each. */
  readonly refused: readonly string[];
  /** Sessions on both databases, without the spared one. */
  readonly left: number;
  readonly sparedThere: boolean;
}

const evictSql = `
with held as (
  select exists (select from pg_locks where pid = $1 and locktype = 'object' and database = 0 and granted
    and classid = 'pg_database'::regclass and objid = $2::oid and mode = 'AccessExclusiveLock') as live
), found as materialized (
  select a.pid, a.datid, ${label} as line, ${isSignalable} as signalable
  from pg_stat_activity a where a.datid in ($2::oid, $3::oid) and ${isSession} and a.pid is distinct from $4
), told as materialized (
  select f.pid, f.datid, pg_terminate_backend(f.pid) from found f, held h
  where f.signalable and (f.datid = $3::oid or h.live)
)
select h.live as locked, exists (select from pg_stat_activity where pid = $4 and datid = $2::oid) as "sparedThere",
  coalesce((select array_agg(pid) from told where datid = $2::oid), '{}') as ended,
  coalesce((select array_agg(line) from found where not signalable), '{}') as refused,
  (select count(*)::int from found) as left
from held h`;

/**
 * Ends the sessions that a swap waits for: those on live once the swapper has its lock, because before that they could come back;
 * those on the candidate, where only ours have any business, at once.
 */
export async function evict(observer: SqlSession, { swapper, live, candidate, spared }: Eviction): Promise<Evicted> {
  const [row] = await observer.query<Evicted>(evictSql, [swapper, live, candidate, spared]);
  if (row === undefined) throw new Error("the server did not say who is connected");
  return row;
}
