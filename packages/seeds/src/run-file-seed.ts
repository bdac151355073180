import type { Identities, SqlSession } from "@replant/core";
import { ReplantError, sqlState } from "@replant/core";
import { isMistake, openContext, type OpenContext } from "./context.ts";
import { emptySeed, seedFailure } from "./failure.ts";
import { recordSeed } from "./ledger.ts";
import type { FileSeed } from "./project-seeds.ts";

export interface RunSeedOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly fingerprint: string;
  readonly mustWrite: boolean;
  readonly identities: Identities | null;
}

/**
 * Runs one seed and writes its line of the ledger, both in one transaction. Returns the rows inserted or updated, counted by
 * the server.
 * @throws ReplantError REPLANT_SEED_FAILED | REPLANT_SEED_EMPTY; nothing of the seed is left then
 */
export async function runFileSeed(session: SqlSession, seed: FileSeed, options: RunSeedOptions): Promise<number> {
  const opened = openContext(session, options.identities);
  await session.query("begin");
  try {
    // Gone when the seed ends the transaction, unusable when it is aborted: one look at the end tells both.
    await session.query("savepoint replant_seed");
    const before = await writtenSoFar(session);
    await runToEnd(seed, opened);
    await session.query("release savepoint replant_seed");
    const after = await writtenSoFar(session);
    if (options.mustWrite && !after.any && !seed.seed.mayBeEmpty) throw emptySeed(seed);
    const rows = after.rows - before.rows;
    await recordSeed(session, { name: seed.name, set: seed.set, fingerprint: options.fingerprint, rows });
    await session.query("commit");
    return rows;
  } catch (error) {
    // The session may be what failed; then there is nothing to roll back.
    await session.query("rollback").catch(() => undefined);
    throw seedFailure(seed, { root: options.root, ...causeOf(error, opened) });
  }
}

/** Ends when nothing of the seed is under way any more, whether it failed or not. */
async function runToEnd(seed: FileSeed, opened: OpenContext): Promise<void> {
  try {
    await seed.seed.run(opened.context);
  } finally {
    await opened.close();
  }
  const call = opened.failedCall();
  if (isMistake(call)) throw call.error;
}

/** The seed's own error: a call that failed before says more than what the broken transaction led to. */
function causeOf(error: unknown, opened: OpenContext): { error: unknown; stack: string | undefined } {
  const call = opened.failedCall();
  if (call !== null && (call.error === error || sqlState(error) === "25P02")) return call;
  const state = sqlState(error);
  if (state === "3B001" || state === "25P01") {
    return {
      error: new ReplantError("REPLANT_SEED_FAILED", "the seed ended the transaction that it runs in", {
        hint: "leave begin, commit and rollback to Replant",
      }),
      stack: undefined,
    };
  }
  return { error, stack: error instanceof Error ? error.stack : undefined };
}

/**
 * `any`: the transaction has written anything, schema changes included. `rows`: inserted or updated in user tables; of what the
 * session did before only differences count, because the server reports it together until it is idle.
 */
async function writtenSoFar(session: SqlSession): Promise<{ any: boolean; rows: number }> {
  const [row] = await session.query<{ written: boolean; rows: string }>(
    `select pg_current_xact_id_if_assigned() is not null as written, coalesce(sum(n_tup_ins + n_tup_upd), 0)::text as rows
       from pg_stat_xact_user_tables where schemaname <> 'replant' and schemaname !~ '^pg_temp_'`,
  );
  return { any: row?.written === true, rows: Number(row?.rows ?? 0) };
}
