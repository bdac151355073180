import type {
  Delivery,
  InboxTransaction,
  Kind,
  ProviderObject,
  Reference,
  SyncState,
  SyncStore,
  SyncTransaction,
} from "../src/index.ts";
import { MemoryStore } from "./memory-store.ts";

interface Kept {
  readonly sync: SyncState;
  /** Kind and id, joined. */
  readonly seen: ReadonlySet<string>;
}

/** The store without a database, with what a listing needs. */
export class MemorySync implements SyncStore {
  readonly store = new MemoryStore();
  #kept: Kept = { sync: { instance: null, watermark: null, pull: null, lastFull: null }, seen: new Set() };

  get sync(): SyncState {
    return { ...this.#kept.sync, watermark: this.store.state.watermark };
  }

  readonly inbox = {
    receive: (delivery: Delivery): Promise<boolean> => this.store.inbox.receive(delivery),
    counts: () => this.store.inbox.counts(),
    requeue: () => this.store.inbox.requeue(),
  };

  async apply<Value>(work: (transaction: SyncTransaction) => Promise<Value>): Promise<Value> {
    const before = this.#kept;
    try {
      return await this.store.apply((transaction) => work(this.#transactionOn(transaction)));
    } catch (error) {
      this.#kept = before;
      throw error;
    }
  }

  #transactionOn(transaction: InboxTransaction): SyncTransaction {
    const there = (kind: Kind): ProviderObject[] =>
      [...this.store.state.rows[kind].values()].flatMap(({ object, deleted }) => (deleted ? [] : [object]));
    const references = (kind: Kind): Reference[] => [
      ...there(kind),
      ...(kind === "membership" ? this.store.state.parked.values() : []),
    ];
    const seenOf = (kind: Kind): string[] => [...this.#kept.seen].filter((key) => key.startsWith(`${kind} `));
    return {
      ...transaction,
      state: async () => this.sync,
      setState: async ({ watermark, ...patch }) => {
        this.#kept = { ...this.#kept, sync: { ...this.#kept.sync, ...patch } };
        if (typeof watermark === "number") this.store.setWatermark(watermark);
      },
      markSeen: async (kind, ids) => {
        this.#kept = { ...this.#kept, seen: new Set([...this.#kept.seen, ...ids.map((id) => `${kind} ${id}`)]) };
      },
      seen: async (kind) => seenOf(kind).length,
      unseen: async (kind) => references(kind).filter(({ id }) => !this.#kept.seen.has(`${kind} ${id}`)),
      forgetSeen: async () => {
        this.#kept = { ...this.#kept, seen: new Set() };
      },
      count: async (kind) => there(kind).length,
      ids: async (kind) => references(kind),
      newestUserAt: async () => Math.max(-Infinity, ...there("user").map(({ updatedAt }) => updatedAt)),
      compare: async (kind, objects) => {
        const rows = new Map(there(kind).map((object) => [object.id, object]));
        const missing = objects.filter(({ id }) => !rows.has(id)).map(({ id }) => id);
        const different = objects.flatMap(({ id, fields }) => {
          const row = rows.get(id);
          const names = Object.keys(fields).filter(
            (name) => JSON.stringify(row?.fields[name]) !== JSON.stringify(fields[name]),
          );
          return row === undefined || names.length === 0 ? [] : [{ id, fields: names }];
        });
        return { missing, different };
      },
      dependents: async () => [],
      drop: async (kind, ids) => {
        for (const id of ids) this.store.state.rows[kind].delete(id);
      },
    };
  }
}
