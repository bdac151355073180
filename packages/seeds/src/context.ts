import type { Identities, SqlSession } from "@replant/core";
import { isReplantError, ReplantError } from "@replant/core";
import { describeTable, type TargetTable } from "./table.ts";
import { upsertRows, type UpsertOptions } from "./upsert.ts";

export type { UpsertOptions } from "./upsert.ts";

/** What a seed works with. Its functions may be taken out of it, and called without awaiting each other. */
export interface SeedContext {
  /** Name of the database that is seeded. */
  readonly database: string;
  /**
   * Inserts rows, and updates those whose key is there already, in one statement. Rows that are there with the same values are
   * not touched, so that a second run writes nothing. All rows name the same columns. Dates, arrays, bytes and bigints
   * become what the column's type is; a json column takes any value as it is, a string as a JSON string.
   * @param table `name` (schema public) or `schema.name`
   * @returns rows inserted or updated
   */
  readonly upsert: (table: string, rows: readonly object[], options: UpsertOptions) => Promise<number>;
  /** Users of the identity provider, for rows that belong to one of them. */
  readonly identity: Pick<Identities, "require" | "ensure">;
  /** One statement with `$1` parameters. BEGIN, COMMIT and ROLLBACK are Replant's. */
  readonly query: <Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
  ) => Promise<Row[]>;
}

/** A call of the context that failed, and the stack of its caller. */
export interface FailedCall {
  readonly error: unknown;
  readonly stack: string | undefined;
}

export interface OpenContext {
  readonly context: SeedContext;
  /** Waits for calls that the seed did not await, then refuses further ones. */
  close(): Promise<void>;
  /** The first call that failed, also when the seed caught its error or never looked. */
  failedCall(): FailedCall | null;
}

/** A context over one session. Calls are put in a row: the session takes one at a time, seeds use `Promise.all`. */
export function openContext(session: SqlSession, identities: Identities | null): OpenContext {
  const tables = new Map<string, Promise<TargetTable>>();
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  let failed: FailedCall | null = null;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(lateCall());
    const { stack } = new Error("the call");
    const result = last.then(work);
    // Also keeps a failure that nobody awaits from ending the process: the seed is what fails.
    last = result.catch((error: unknown) => {
      failed ??= { error, stack };
    });
    return result;
  };
  const tableOf = (label: string): Promise<TargetTable> => {
    const known = tables.get(label) ?? describeTable(session, label);
    tables.set(label, known);
    return known;
  };

  return {
    context: {
      database: session.database,
      identity: {
        require: (name, reference) => inTurn(() => known(identities).require(name, reference)),
        ensure: (name, wanted) => inTurn(() => known(identities).ensure(name, wanted)),
      },
      upsert: (table, rows, options) =>
        inTurn(async () => upsertRows(session, await tableOf(table), { rows, ...options })),
      query: (sql, params) =>
        inTurn(() => {
          // What was read of the tables may not be true any more.
          if (/\b(create|alter|drop)\b/i.test(sql)) tables.clear();
          return session.query(sql, params);
        }),
    },
    close: async () => {
      for (let waited: unknown = null; waited !== last;) {
        waited = last;
        await last;
      }
      closed = true;
    },
    failedCall: () => failed,
  };
}

function known(identities: Identities | null): Identities {
  if (identities !== null) return identities;
  throw new ReplantError("REPLANT_IDENTITY_UNRESOLVED", "the configuration names no identity provider", {
    hint: "add identity: clerk() to replant.config.ts; clerk comes from @replant/config",
  });
}

/** True where the failure of a call must fail the seed even if the seed caught it: the call never reached the server. */
export function isMistake(call: FailedCall | null): call is FailedCall {
  return call !== null && isReplantError(call.error);
}

function lateCall(): ReplantError {
  return new ReplantError("REPLANT_SEED_FAILED", "a seed went on working after its run had ended", {
    hint: "await every promise in run",
  });
}
