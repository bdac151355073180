import type { LockHolder, RunLock } from "@replant/core";
import { ReplantError } from "@replant/core";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connections } from "./connections.ts";
import { advisoryKey } from "./names.ts";
import type { PgSession } from "./session.ts";

/** The server cuts longer application names. */
const applicationBytesMax = 63;
/** A lock session that does not answer within this time is as good as lost. */
const answerMs = 10_000;

/** The holder as an application name: the one thing that every role may read of a session that holds a lock. */
function renderHolder({ command, run, pid, host }: LockHolder): string {
  // The server would turn anything but printable ASCII into question marks.
  const name = `replant ${command} ${run} ${pid}@${host}`.replaceAll(/[^\x20-\x7e]/g, "-");
  return name.slice(0, applicationBytesMax);
}

function parseHolder(application: string): Pick<LockHolder, "command" | "run" | "pid" | "host"> | null {
  const [, command, run, pid, host] = /^replant (.+) (\S+) (\d+)@(.*)$/.exec(application) ?? [];
  if (command === undefined || run === undefined || host === undefined) return null;
  return { command, run, pid: Number(pid), host };
}

/**
 * Takes the lock of a live database: an advisory lock of a session in the maintenance database, which ends with its process.
 * @throws ReplantError REPLANT_LOCKED with the holder named | REPLANT_STRATEGY_UNAVAILABLE behind a transaction pooler
 */
export async function acquireLock(
  connections: Connections,
  { live, holder }: { live: string; holder: LockHolder },
): Promise<RunLock> {
  const key = advisoryKey(`replant:${live}`);
  const session = await connections.openMaintenance(renderHolder(holder));
  try {
    if (!session.direct) throw behindPooler();
    await take(session, { key, live });
  } catch (error) {
    await session.close();
    throw error;
  }
  return {
    assertHeld: async () => {
      const held =
        session.alive && (await Promise.race([isHeld(session, key), sleep(answerMs, false, { ref: false })]));
      if (!held) throw lost(live);
    },
    release: () => session.close(),
  };
}

async function take(session: PgSession, { key, live }: { key: string; live: string }): Promise<void> {
  for (;;) {
    const [row] = await session.query<{ taken: boolean }>("select pg_try_advisory_lock($1::bigint) as taken", [key]);
    if (row?.taken === true) return;
    const [holder] = await session.query<HolderRow>(holderSql, [key]);
    if (holder !== undefined) throw locked(live, holder);
    // Released between the two statements.
  }
}

const lockCondition = `l.locktype = 'advisory' and l.objsubid = 1 and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint`;

interface HolderRow {
  readonly backend: number;
  readonly application: string;
  readonly user: string;
  readonly since: string | null;
}

const holderSql = `
select l.pid as backend, coalesce(a.application_name, '') as application, coalesce(a.usename::text, '') as user,
  to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since
from pg_locks l left join pg_stat_activity a on a.pid = l.pid where ${lockCondition}`;

async function isHeld(session: PgSession, key: string): Promise<boolean> {
  const sql = `select from pg_locks l where l.pid = pg_backend_pid() and ${lockCondition}`;
  const rows = await session.query(sql, [key]).catch(() => []);
  return rows.length > 0;
}

function locked(live: string, { backend, application, user, since }: HolderRow): ReplantError {
  const holder = parseHolder(application);
  const who =
    holder === null
      ? `backend ${backend}, application "${application}", user "${user}"`
      : `replant ${holder.command}, run ${holder.run}, pid ${holder.pid} on ${holder.host}`;
  const line = since === null ? who : `${who}, since ${since}`;
  return new ReplantError("REPLANT_LOCKED", `another run works on "${live}": ${line}`, {
    state: "nothing was touched",
    hint: "wait until it has ended; the lock of a process that has died is free at once",
    items: [line],
  });
}

function lost(live: string): ReplantError {
  return new ReplantError("REPLANT_LOCKED", `the lock of "${live}" was lost: the server has ended its session`, {
    hint: "run the command again",
  });
}

function behindPooler(): ReplantError {
  return new ReplantError(
    "REPLANT_STRATEGY_UNAVAILABLE",
    "a transaction pooler stands between Replant and the server",
    {
      why: "it gives one session to several clients, so that a lock would keep nobody out",
      state: "nothing was touched",
      hint: "let the database URL point at the server itself",
    },
  );
}
