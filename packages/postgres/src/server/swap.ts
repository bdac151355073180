import type { DatabaseRef, SwapRequest, SwapResult } from "@replant/core";
import { messageOf, ReplantError, sqlState } from "@replant/core";
import { setTimeout as sleep } from "node:timers/promises";
import { quoteIdent, quoteLiteral } from "../shared/quote.ts";
import type { Connections } from "./connections.ts";
import { type DatabaseRow, findDatabase } from "./databases.ts";
import { type ServerFence, watch, type Watched } from "./fence.ts";
import { type Mark, renderMark } from "./marks.ts";
import { siblingName, swapApplication } from "./names.ts";
import type { PgSession } from "./session.ts";
import { evict, unsignalable } from "./sessions.ts";
import { assertSameSettings, readSettings, renderSettings } from "./settings.ts";

const attemptsMax = 3;
const backoffMs = 200;
const pollMs = 3;
/** After this the answer is lost; the server's own limits have ended the swap long before. */
const answerMs = 30_000;

/** What the server says when somebody was in the way and nothing has happened: in use, lock timeout, deadlock, statement timeout. */
const retryable = new Set(["55006", "55P03", "40P01", "57014"]);

export interface Swap {
  /** Name of the live database. */
  readonly live: string;
  readonly request: SwapRequest;
  /** The fence in question; its session is spared until nobody else is left. */
  readonly fence: ServerFence | null;
}

/**
 * The swap: one message to the server, which answers when it has committed. See `Engine.swap`.
 * While it waits for the sessions on live to go, another session ends them: nobody can come back in between, because the rename
 * has its lock already. The fence goes last, so that no writer gets through.
 */
export async function swapDatabases(connections: Connections, swap: Swap): Promise<SwapResult> {
  return connections.maintain(async (observer) => {
    const prepared = await prepare(observer, swap);
    const ended = new Set<number>();
    for (let attempt = 1; ; attempt += 1) {
      const failure = await attemptSwap(connections, { ...prepared, swap, observer, ended });
      if (failure === null) return { previous: prepared.previous, endedSessions: ended.size };
      const again = failure.retryable && attempt < attemptsMax && swap.fence?.session.alive !== false;
      if (!again) throw failure.error;
      await sleep(backoffMs * attempt);
    }
  });
}

interface Prepared {
  readonly message: string;
  readonly previous: DatabaseRef | null;
}

async function prepare(observer: PgSession, { live, request, fence }: Swap): Promise<Prepared> {
  const [now, candidate] = [await findDatabase(observer, live), await findDatabase(observer, request.candidate.name)];
  if ((now?.id ?? null) !== (request.live?.id ?? null))
    throw notSwapped(`"${live}" is not the database that was inspected`);
  if (candidate === null || candidate.id !== request.candidate.id)
    throw notSwapped(`${request.candidate.name} has gone`);
  if (candidate.mark?.role !== "candidate" && candidate.mark?.role !== "previous") {
    throw notSwapped(`${candidate.name} has no mark of a candidate or a previous database`);
  }
  const sessions = await unsignalable(observer, now === null ? [candidate.id] : [now.id, candidate.id]);
  if (sessions.length > 0)
    throw notSwapped(`sessions on "${live}" or ${candidate.name} cannot be ended by this user`, sessions);
  if (fence !== null && !(await fence.holds(observer))) throw fenceLost(live);
  const previous = now === null ? null : { name: await vacantName(observer, live, request.run), id: now.id };
  return {
    message: await renderSwap(observer, { live, request, now, candidate, mark: candidate.mark, previous }),
    previous,
  };
}

async function vacantName(observer: PgSession, live: string, run: string): Promise<string> {
  for (let salt = 0; ; salt += 1) {
    const name = siblingName(live, "prev", { run, salt });
    if ((await findDatabase(observer, name)) === null) return name;
  }
}

interface Rendering {
  readonly live: string;
  readonly request: SwapRequest;
  readonly now: DatabaseRow | null;
  readonly candidate: DatabaseRow;
  readonly mark: Mark;
  readonly previous: DatabaseRef | null;
}

async function renderSwap(observer: PgSession, rendering: Rendering): Promise<string> {
  const { live, request, now, candidate, mark, previous } = rendering;
  const statements = [
    "begin",
    "set local lock_timeout = '2s'",
    "set local statement_timeout = '6s'",
    // Ends the transaction should this process be stopped in the middle of sending.
    "set local idle_in_transaction_session_timeout = '2s'",
  ];
  // What live was before the last swap gets its own comment back; a candidate takes that of live.
  const comment = mark.role === "previous" ? mark.original : (now?.comment ?? null);
  const rename = `alter database ${quoteIdent(candidate.name)} rename to ${quoteIdent(live)}`;
  const commentOn = `comment on database ${quoteIdent(live)} is ${comment === null ? "null" : quoteLiteral(comment)}`;
  if (now === null || previous === null) return [...statements, rename, commentOn, "commit"].join("; ");
  const [wanted, current] = [await readSettings(observer, now.id), await readSettings(observer, candidate.id)];
  if (wanted === null || current === null) throw notSwapped(`"${live}" or ${candidate.name} has gone`);
  const previousMark = renderMark({
    role: "previous",
    live,
    run: request.run,
    fingerprint: null,
    createdAt: request.at,
    original: now.comment,
  });
  return [
    ...statements,
    // Whoever is changing one of the two must be waited for now: once the rename has its lock, the fence is lifted.
    `alter database ${quoteIdent(live)} connection limit ${wanted.connectionLimit}`,
    `alter database ${quoteIdent(candidate.name)} connection limit ${current.connectionLimit}`,
    `alter database ${quoteIdent(live)} rename to ${quoteIdent(previous.name)}`,
    rename,
    ...renderSettings(live, { wanted, current }),
    commentOn,
    `comment on database ${quoteIdent(previous.name)} is ${quoteLiteral(previousMark)}`,
    assertSameSettings(now.id, candidate.id),
    "commit",
  ].join("; ");
}

interface Attempt extends Prepared {
  readonly swap: Swap;
  readonly observer: PgSession;
  /** Backends on live that were ended; grows. */
  readonly ended: Set<number>;
}

/** null: committed. */
async function attemptSwap(
  connections: Connections,
  attempt: Attempt,
): Promise<{ error: Error; retryable: boolean } | null> {
  const swapper = await connections.openMaintenance(swapApplication(attempt.swap.live)).catch((error: unknown) => {
    throw notSwapped("the session for the swap could not be opened", [messageOf(error)]);
  });
  try {
    const answer = watch(swapper.script(attempt.message));
    const trouble = await clearTheWay(attempt, { swapper, answer });
    const silence = sleep(answerMs, { error: new Error("the server does not answer") }, { ref: false });
    const { error } = await Promise.race([answer.settled, silence]);
    if (error === undefined) return null;
    if (!isCertain(error)) {
      await settle(attempt.observer, swapper.pid);
      throw error;
    }
    return {
      error: trouble ?? notSwapped(messageOf(error), [], error),
      retryable: trouble === null && retryable.has(sqlState(error) ?? ""),
    };
  } finally {
    await swapper.close();
  }
}

/** Ends the sessions on live while the swap waits for that. Gives the reason when it made the server give the swap up. */
async function clearTheWay(
  { swap, observer, ended, previous }: Attempt,
  { swapper, answer }: { swapper: PgSession; answer: Watched },
): Promise<ReplantError | null> {
  const { candidate, fence: requested } = swap.request;
  const spared = swap.fence?.session;
  for (let fenced = spared !== undefined; !answer.over;) {
    const found = await evict(observer, {
      swapper: swapper.pid,
      live: previous?.id ?? null,
      candidate: candidate.id,
      spared: spared?.pid ?? null,
    });
    for (const pid of found.ended) ended.add(pid);
    const refusal =
      found.refused.length > 0
        ? notSwapped(`sessions on "${swap.live}" or ${candidate.name} cannot be ended by this user`, found.refused)
        : fenced && !found.sparedThere
          ? fenceLost(swap.live)
          : null;
    if (refusal !== null && !answer.over) {
      await observer.query("select pg_cancel_backend($1)", [swapper.pid]);
      return refusal;
    }
    if (fenced && found.locked && found.left === 0) {
      await requested?.release();
      fenced = false;
    }
    await Promise.race([answer.settled, sleep(pollMs)]);
  }
  return null;
}

/** Longer than any swap takes: the server's own limits end it before. */
const outcomeMs = 20_000;
/** A session that is about to swap says so at once; one that does not has lost its process. */
const idleMs = 2_000;

/**
 * What the name live means now. A process may have died after it sent a swap that the server has not done with yet, so this waits
 * for the sessions that swap it to go, and ends one that does nothing.
 * @throws ReplantError REPLANT_IN_DOUBT
 */
export async function settledLive(observer: PgSession, live: string): Promise<DatabaseRef | null> {
  const sql = `select pid, state, extract(epoch from clock_timestamp() - state_change)::float8 * 1000 as "ageMs"
    from pg_stat_activity where application_name = $1`;
  for (const end = Date.now() + outcomeMs; ; await sleep(20)) {
    const swappers = await observer.query<{ pid: number; state: string; ageMs: number }>(sql, [swapApplication(live)]);
    if (swappers.length === 0) {
      const row = await findDatabase(observer, live);
      return row === null ? null : { name: row.name, id: row.id };
    }
    const idle = swappers.filter(({ state, ageMs }) => state === "idle" && ageMs > idleMs).map(({ pid }) => pid);
    if (idle.length > 0) await observer.query("select pg_terminate_backend(pid) from unnest($1::int[]) pid", [idle]);
    if (Date.now() > end) {
      throw new ReplantError("REPLANT_IN_DOUBT", `a session of another run has been swapping "${live}" for too long`, {
        items: swappers.map(({ pid, state }) => `pid ${pid}, ${state}`),
        hint: "end that session on the server, then run the command again",
      });
    }
  }
}

/** True for an error after which the server has certainly not committed; a lost connection or a killed session tells nothing. */
function isCertain(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !/^(08|57P|58|XX|25P0[34])/.test(state);
}

/** Makes the server come to an end with a swap whose answer was lost, so that `liveRef` tells how it went. */
async function settle(observer: PgSession, pid: number): Promise<void> {
  for (const end = Date.now() + answerMs; Date.now() < end; await sleep(20)) {
    const sql = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1";
    const rows = await observer.query(sql, [pid]).catch(() => []);
    if (rows.length === 0) return;
  }
}

function notSwapped(why: string, items: readonly string[] = [], cause?: unknown): ReplantError {
  return new ReplantError("REPLANT_SWAP_FAILED", `the swap did not happen: ${why}`, {
    ...(items.length === 0 ? {} : { items }),
    hint: "run the command again; replant status shows what is live",
    ...(cause === undefined ? {} : { cause }),
  });
}

function fenceLost(live: string): ReplantError {
  return notSwapped(
    `the locks on the kept tables of "${live}" were lost, so rows may have been written since the backup`,
  );
}
