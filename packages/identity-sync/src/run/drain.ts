import { isReplantError, messageOf, sqlState } from "@replant/core";
import type { ProviderEvent } from "../model/objects.ts";
import type { IdentityStore, InboxEntry, InboxTransaction, Settled } from "../ports/inbox.ts";
import type { Outcome, Told } from "./apply.ts";
import { applyChanges } from "./apply.ts";

export interface DrainOptions {
  /** What a stored body says. Throws for what nobody can read. */
  readonly read: (body: string) => ProviderEvent;
  /** Messages per transaction. Default: 100. */
  readonly batch?: number;
}

export interface Drained {
  readonly applied: number;
  readonly parked: number;
  readonly ignored: number;
  readonly failed: number;
}

/** Applies what is pending, oldest first, until nothing is. A message that fails is tried alone, so that it stops no other. */
export async function drain(store: IdentityStore, options: DrainOptions): Promise<Drained> {
  const total = { applied: 0, parked: 0, ignored: 0, failed: 0 };
  for (let alone = false; ;) {
    const done = await drainSome(store, { ...options, batch: alone ? 1 : (options.batch ?? 100) }).catch(
      (error: unknown) => {
        if (!(error instanceof BatchFailed) || alone) throw error;
        return null;
      },
    );
    // Together they cannot be applied: one by one from here on, and who fails is known.
    if (done === null) {
      alone = true;
      continue;
    }
    if (done.length === 0) return total;
    for (const status of done) {
      if (status === "applied" || status === "parked" || status === "ignored") total[status] += 1;
      else total.failed += 1;
    }
  }
}

/** An error of applying a whole batch: nothing of it is written. */
class BatchFailed extends Error {}

async function drainSome(
  store: IdentityStore,
  { read, batch }: DrainOptions & { batch: number },
): Promise<Settled["status"][]> {
  let entries: InboxEntry[] = [];
  try {
    return await store.apply(async (transaction) => {
      entries = await transaction.pending(batch);
      const settled = await settleEntries(transaction, entries, read);
      await transaction.settle(settled);
      return settled.map(({ status }) => status);
    });
  } catch (error) {
    if (entries.length > 1 && !passes(error)) throw new BatchFailed(messageOf(error), { cause: error });
    const [entry] = entries;
    if (entry === undefined || passes(error)) throw error;
    const settled = failed(entry, error);
    await store.apply((transaction) => transaction.settle([settled]));
    return [settled.status];
  }
}

async function settleEntries(
  transaction: InboxTransaction,
  entries: readonly InboxEntry[],
  read: DrainOptions["read"],
): Promise<Settled[]> {
  const told = new Map<string, Told>();
  const settled = new Map<string, Settled>();
  for (const entry of entries) {
    try {
      const { change, occurredAt } = read(entry.body);
      if (change === null) settled.set(entry.id, { id: entry.id, status: "ignored", error: null });
      else told.set(entry.id, { change, from: { eventAt: occurredAt } });
    } catch (error) {
      settled.set(entry.id, failed(entry, error));
    }
  }
  const ids = [...told.keys()];
  const { outcomes } = await applyChanges(transaction, [...told.values()]);
  for (const [index, id] of ids.entries()) {
    settled.set(id, { id, status: statusOf(outcomes[index] ?? "stale"), error: null });
  }
  return entries.flatMap(({ id }) => settled.get(id) ?? []);
}

function statusOf(outcome: Outcome): Settled["status"] {
  return outcome === "parked" ? "parked" : "applied";
}

/** What fails alone fails again: it waits for a person, who corrects the cause and replays it. */
function failed({ id }: InboxEntry, error: unknown): Settled {
  const code = isReplantError(error) ? `${error.code}: ` : "";
  return { id, status: "dead", error: `${code}${messageOf(error)}`.slice(0, 1000) };
}

/** Errors of the connection, of a lock or of a conflict pass by themselves. */
function passes(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined ? !isReplantError(error) : /^(08|40|53|55P03|57)/.test(state);
}
