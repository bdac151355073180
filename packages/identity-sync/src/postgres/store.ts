import type { SqlSession } from "@replant/core";
import type { IdentityMapping } from "../model/mapping.ts";
import type { SyncStore, SyncTransaction } from "../ports/sync.ts";
import { inboxOf, openInbox } from "./inbox.ts";
import { knowledge } from "./knowledge.ts";
import type { Layout } from "./layout.ts";
import { readLayout } from "./layout.ts";
import { listings } from "./listings.ts";
import { Queue } from "./sessions.ts";
import { write } from "./write.ts";

export interface IdentityStoreOptions {
  /** One where the database gives no second session: messages then wait while changes are applied. Default: 2. */
  readonly sessions?: 1 | 2;
}

export interface PostgresIdentityStore extends SyncStore {
  /** Ends the sessions once nothing is under way. May be called twice. */
  close(): Promise<void>;
}

/** Held by every apply to its end, in whatever process: no two run at once on one database. */
const lockSql = "select pg_advisory_xact_lock(hashtextextended('replant identity', 0))";

/**
 * The project's database as a store of identity-sync. The tables are looked at once: open it again after a migration.
 * @param connect opens a session; called again after its connection is lost
 * @throws ReplantError REPLANT_IDENTITY_SCHEMA for tables and columns that are not there; what `connect` throws
 */
export async function openIdentityStore(
  connect: () => Promise<SqlSession>,
  mapping: IdentityMapping,
  { sessions = 2 }: IdentityStoreOptions = {},
): Promise<PostgresIdentityStore> {
  const queue = new Queue(connect);
  // A message is stored once, however often that is tried.
  const receiving = sessions === 1 ? queue : new Queue(connect, { repeatable: true });
  const close = async (): Promise<void> => {
    await queue.close();
    await receiving.close();
  };
  try {
    const layout = await queue.run((session) => readLayout(session, mapping));
    return {
      apply: (work) =>
        queue.run(async (session) => {
          await session.script(`begin isolation level read committed; ${lockSql}`);
          const value = await work(transactionOn(session, layout));
          await session.script("commit");
          return value;
        }),
      inbox: openInbox(receiving, layout.own.inbox),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function transactionOn(session: SqlSession, layout: Layout): SyncTransaction {
  return {
    ...knowledge(session, layout),
    write: (writes) => write(session, layout, writes),
    ...inboxOf(session, layout.own.inbox),
    ...listings(session, layout),
  };
}
