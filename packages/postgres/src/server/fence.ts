import type { Fence, TableName } from "@replant/core";
import { ReplantError, sqlState, tableLabel } from "@replant/core";
import { setTimeout as sleep } from "node:timers/promises";
import { quoteTable } from "../shared/quote.ts";
import type { Connections } from "./connections.ts";
import type { PgSession } from "./session.ts";

/** Pauses before the second and the third try. Writers that queue up behind a waiting lock go on meanwhile. */
const backoffMs = [250, 1_000];
const watchMs = 50;

export interface FenceRequest {
  /** Name of the live database. */
  readonly live: string;
  readonly tables: readonly TableName[];
  /** How long one try may wait for the locks, and let new writers wait. */
  readonly lockTimeoutMs: number;
}

/**
 * Opens a session on live and locks the tables against writers, in one statement and before its snapshot is taken. Readers go on.
 * @throws ReplantError REPLANT_FENCE_BLOCKED after three tries, with a line for each session in the way
 */
export async function raiseFence(connections: Connections, request: FenceRequest): Promise<ServerFence> {
  const session = await connections.open(request.live);
  try {
    await lockTables(connections, session, request);
    return new ServerFence(session, request.tables.length);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** See `Fence`. */
export class ServerFence implements Fence {
  readonly session: PgSession;
  readonly #tables: number;

  constructor(session: PgSession, tables: number) {
    this.session = session;
    this.#tables = tables;
  }

  /** True while no writer can have passed; `observer` is another session. */
  async holds(observer: PgSession): Promise<boolean> {
    if (!this.session.alive) return false;
    const sql = `select (select count(*)::int from pg_locks where pid = $1 and locktype = 'relation' and mode = 'ShareLock'
      and granted) as locks, exists (select from pg_stat_activity where pid = $1 and xact_start is not null) as open`;
    const [row] = await observer.query<{ locks: number; open: boolean }>(sql, [this.session.pid]);
    return row !== undefined && row.open && row.locks >= this.#tables;
  }

  async release(): Promise<void> {
    await this.session.close();
  }
}

async function lockTables(connections: Connections, session: PgSession, request: FenceRequest): Promise<void> {
  const message = lockMessage(request);
  let blockers: Blocker[] = [];
  for (let attempt = 0; ; attempt += 1) {
    const waiting = watch(session.script(message));
    while (!waiting.over) {
      await Promise.race([waiting.settled, sleep(watchMs)]);
      if (waiting.over) break;
      const found = await connections.maintain((observer) => readBlockers(observer, session.pid));
      if (found.length > 0) blockers = found;
    }
    const { error } = await waiting.settled;
    if (error === undefined) return;
    const state = sqlState(error);
    if (state !== "55P03" && state !== "40P01") throw error;
    await session.script("rollback");
    const pause = backoffMs[attempt];
    if (pause === undefined) throw blocked(request, { blockers, attempts: attempt + 1, cause: error });
    await sleep(pause);
  }
}

/** REPEATABLE READ takes its snapshot at the first query after the locks: all that was committed before them is in it. */
function lockMessage({ tables, lockTimeoutMs }: FenceRequest): string {
  const names = tables.map(quoteTable).sort();
  return [
    "begin isolation level repeatable read",
    ...(names.length === 0
      ? []
      : [
          `set local lock_timeout = ${lockTimeoutMs}`,
          `lock table ${names.join(", ")} in share mode`,
          "set local lock_timeout = 0",
        ]),
  ].join("; ");
}

export interface Watched {
  /** True as soon as it has ended, well or not. */
  over: boolean;
  /** Never rejects. */
  readonly settled: Promise<{ readonly error?: Error }>;
}

/** A promise whose end can be asked for. */
export function watch(work: Promise<unknown>): Watched {
  const watched: Watched = {
    over: false,
    settled: work.then(
      () => ({}),
      (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
    ),
  };
  void watched.settled.then(() => (watched.over = true));
  return watched;
}

interface Blocker {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  readonly state: string;
  readonly seconds: number | null;
}

async function readBlockers(observer: PgSession, pid: number): Promise<Blocker[]> {
  return observer.query<Blocker>(
    `select a.pid, coalesce(a.application_name, '') as application, coalesce(a.usename::text, '') as user,
       coalesce(a.state, a.backend_type, 'unknown state') as state,
       extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
     from pg_stat_activity a where a.pid = any(pg_blocking_pids($1)) order by a.xact_start`,
    [pid],
  );
}

function blocked(
  { live, tables }: FenceRequest,
  { blockers, attempts, cause }: { blockers: Blocker[]; attempts: number; cause: unknown },
): ReplantError {
  const items = blockers.map(({ pid, application, user, state, seconds }) => {
    const age = seconds === null ? "" : ` for ${seconds.toFixed(1)} s`;
    return `pid ${pid}, application "${application}", user "${user}", ${state}${age}`;
  });
  const who = items.length === 0 ? "other sessions" : items.join("; ");
  return new ReplantError("REPLANT_FENCE_BLOCKED", `kept tables of "${live}" are locked by ${who}`, {
    why: `${attempts} tries to lock ${tables.map(tableLabel).join(", ")} against writers did not succeed`,
    hint: "commit or end that transaction, then run the command again",
    items,
    cause,
  });
}
