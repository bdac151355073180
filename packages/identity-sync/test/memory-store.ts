import { isDeepStrictEqual } from "node:util";
import type {
  Delivery,
  Holder,
  InboxEntry,
  InboxStatus,
  Json,
  Kind,
  Known,
  Pair,
  Parked,
  ProviderObject,
  Reference,
  SyncState,
  SyncStore,
  SyncTransaction,
  Writes,
} from "../src/index.ts";
import { standIn, textOf } from "../src/index.ts";

interface Row {
  readonly localId: number;
  readonly object: ProviderObject;
  readonly deleted: boolean;
}

interface State {
  readonly rows: Record<Kind, Map<string, Row>>;
  readonly versions: Map<string, number>;
  readonly tombstones: Set<string>;
  readonly parked: Map<string, Parked>;
  readonly inbox: Map<string, { body: string; subject: string | null; status: InboxStatus; attempts: number }>;
  readonly seen: Record<Kind, Set<string>>;
  sync: SyncState;
  nextId: number;
}

const unique: Record<Kind, readonly string[]> = { user: ["email"], organization: ["slug"], membership: [] };

/** The store without a database. What it must refuse like one (a value twice, a membership without its parents) it refuses. */
export class MemoryStore implements SyncStore {
  #queue: Promise<unknown> = Promise.resolve();
  #state: State = {
    rows: { user: new Map(), organization: new Map(), membership: new Map() },
    versions: new Map(),
    tombstones: new Set(),
    parked: new Map(),
    inbox: new Map(),
    seen: { user: new Set(), organization: new Set(), membership: new Set() },
    sync: { instance: null, watermark: null, pull: null, lastFull: null },
    nextId: 1,
  };
  /** Called within a transaction before it commits: throws to take it back, as a crash does. */
  beforeCommit: (() => void) | null = null;

  get state(): State {
    return this.#state;
  }

  apply<Value>(work: (transaction: SyncTransaction) => Promise<Value>): Promise<Value> {
    const done = this.#queue.then(() => this.#apply(work));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #apply<Value>(work: (transaction: SyncTransaction) => Promise<Value>): Promise<Value> {
    const before = copyOf(this.#state);
    try {
      const value = await work(transactionOn(this.#state));
      this.beforeCommit?.();
      return value;
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  readonly inbox = {
    receive: async ({ id, body, event }: Delivery): Promise<boolean> => {
      if (this.#state.inbox.has(id)) return false;
      const subject = event.subject === null ? null : `${event.subject.kind} ${event.subject.id}`;
      this.#state.inbox.set(id, { body, subject, status: "pending", attempts: 0 });
      return true;
    },
    counts: async (): Promise<{ pending: number; parked: number; dead: number; oldestPendingAt: null }> => {
      const count = (status: InboxStatus): number =>
        [...this.#state.inbox.values()].filter((entry) => entry.status === status).length;
      return { pending: count("pending"), parked: count("parked"), dead: count("dead"), oldestPendingAt: null };
    },
    requeue: async (): Promise<number> => {
      const dead = [...this.#state.inbox.values()].filter(({ status }) => status === "dead");
      for (const entry of dead) entry.status = "pending";
      return dead.length;
    },
  };
}

function copyOf(state: State): State {
  return {
    rows: {
      user: new Map(state.rows.user),
      organization: new Map(state.rows.organization),
      membership: new Map(state.rows.membership),
    },
    versions: new Map(state.versions),
    tombstones: new Set(state.tombstones),
    parked: new Map(state.parked),
    inbox: new Map([...state.inbox].map(([id, entry]) => [id, { ...entry }])),
    seen: {
      user: new Set(state.seen.user),
      organization: new Set(state.seen.organization),
      membership: new Set(state.seen.membership),
    },
    sync: state.sync,
    nextId: state.nextId,
  };
}

function transactionOn(state: State): SyncTransaction {
  const knownOf = (kind: Kind, id: string): Known => ({
    updatedAt: state.versions.get(`${kind} ${id}`) ?? null,
    gone: state.tombstones.has(`${kind} ${id}`),
    row: state.rows[kind].has(id),
  });
  return {
    known: async (kind, ids) => new Map(ids.map((id) => [id, knownOf(kind, id)])),
    uniqueFields: (kind) => unique[kind],
    holders: async (kind, objects) => {
      const wanted = new Map<string, Set<string>>();
      for (const object of objects) {
        for (const field of unique[kind]) {
          const key = `${field} ${textOf(object, field)}`;
          wanted.set(key, (wanted.get(key) ?? new Set()).add(object.id));
        }
      }
      return [...state.rows[kind]].flatMap(([id, { object }]) =>
        unique[kind].flatMap((field): Holder[] => {
          const value = textOf(object, field) ?? "";
          const by = wanted.get(`${field} ${value}`);
          if (by === undefined || (by.size === 1 && by.has(id))) return [];
          return [{ kind, id, field, value, ...knownOf(kind, id) }];
        }),
      );
    },
    pairs: async (memberships) => {
      const keys = new Set(memberships.map(({ joins }) => JSON.stringify([joins?.user, joins?.organization])));
      return [...state.rows.membership].flatMap(
        ([
          id,
          {
            object: { joins },
          },
        ]): Pair[] =>
          joins !== null && keys.has(JSON.stringify([joins.user, joins.organization]))
            ? [{ ...joins, id, updatedAt: knownOf("membership", id).updatedAt }]
            : [],
      );
    },
    membershipsOf: async (kind, ids) =>
      [...[...state.rows.membership.values()].map(({ object }) => object), ...state.parked.values()]
        .filter(({ joins }) => joins !== null && ids.includes(joins[kind]))
        .map(({ id }) => id),
    parkedFor: async (kind, ids) =>
      [...state.parked.values()].filter(({ joins }) => joins !== null && ids.includes(joins[kind])),
    watermark: async () => state.sync.watermark,
    write: async (writes) => write(state, writes),
    pending: async (limit) =>
      [...state.inbox]
        .filter(([, { status }]) => status === "pending")
        .slice(0, limit)
        .map(([id, { body, attempts }]): InboxEntry => ({ id, body, attempts })),
    settle: async (settled) => {
      for (const { id, status } of settled) {
        const entry = state.inbox.get(id);
        if (entry !== undefined) Object.assign(entry, { status, attempts: entry.attempts + 1 });
      }
    },
    ...syncOf(state, knownOf),
  };
}

/** What listings need beyond applying. */
function syncOf(
  state: State,
  knownOf: (kind: Kind, id: string) => Known,
): Pick<
  SyncTransaction,
  | "state"
  | "setState"
  | "markSeen"
  | "unseen"
  | "forgetSeen"
  | "count"
  | "ids"
  | "newestUserAt"
  | "compare"
  | "dependents"
  | "history"
  | "values"
  | "rename"
  | "drop"
> {
  const alive = (kind: Kind): Row[] =>
    [...state.rows[kind].values()].filter(({ object }) => !knownOf(kind, object.id).gone);
  const references = (kind: Kind): Reference[] =>
    alive(kind).map(({ object }) => ({ id: object.id, joins: object.joins }));
  return {
    state: async () => state.sync,
    setState: async (patch) => {
      state.sync = { ...state.sync, ...patch };
    },
    markSeen: async (kind, ids) => {
      for (const id of ids) state.seen[kind].add(id);
    },
    unseen: async (kind) =>
      [...references(kind), ...(kind === "membership" ? state.parked.values() : [])]
        .filter(({ id }) => !state.seen[kind].has(id))
        .map(({ id, joins }) => ({ id, joins })),
    forgetSeen: async () => {
      for (const ids of Object.values(state.seen)) ids.clear();
    },
    count: async (kind) => alive(kind).length,
    ids: async (kind) => references(kind),
    newestUserAt: async () => Math.max(...alive("user").map(({ object }) => object.updatedAt)),
    compare: async (kind, objects) => {
      const rows = objects.map((object) => ({ object, row: state.rows[kind].get(object.id) }));
      return {
        missing: rows.filter(({ row }) => row === undefined || row.deleted).map(({ object }) => object.id),
        different: rows.flatMap(({ object, row }) => {
          if (row === undefined || row.deleted) return [];
          const fields = Object.keys(object.fields).filter(
            (field) => !isDeepStrictEqual(object.fields[field], row.object.fields[field]),
          );
          return fields.length === 0 ? [] : [{ id: object.id, fields }];
        }),
      };
    },
    dependents: async () => [],
    history: async (kind, id) => {
      const row = state.rows[kind].get(id);
      const { updatedAt, gone } = knownOf(kind, id);
      return {
        row: row === undefined ? null : { localId: String(row.localId), deletedAt: row.deleted ? 0 : null },
        updatedAt,
        gone,
        parked: state.parked.has(id),
        messages: [],
      };
    },
    values: async (kind, field) =>
      alive(kind).flatMap(({ object }) => {
        const value = textOf(object, field);
        return value === null ? [] : [{ id: object.id, value }];
      }),
    rename: async (kind, ids) => {
      for (const { from, to } of ids) {
        const row = state.rows[kind].get(from);
        if (row === undefined) continue;
        state.rows[kind].delete(from);
        state.rows[kind].set(to, { ...row, object: { ...row.object, id: to } });
        for (const id of [from, to]) {
          state.versions.delete(`${kind} ${id}`);
          state.tombstones.delete(`${kind} ${id}`);
        }
      }
    },
    drop: async (kind, ids) => {
      for (const id of ids) state.rows[kind].delete(id);
    },
  };
}

function write(state: State, { displaced, replaced, present, gone, parked, unparked }: Writes): number {
  for (const { kind, id, field, value } of displaced) {
    const row = state.rows[kind].get(id);
    if (row === undefined) continue;
    const fields: Record<string, Json> = { ...row.object.fields, [field]: standIn(id, value) };
    state.rows[kind].set(id, { ...row, object: { ...row.object, fields } });
  }
  for (const { from, to } of replaced) {
    const row = state.rows.membership.get(from);
    if (row === undefined) throw new Error(`nothing to replace: ${from}`);
    state.rows.membership.delete(from);
    state.rows.membership.set(to, row);
  }
  for (const object of present) {
    const { kind, id } = object;
    const row = state.rows[kind].get(id);
    state.rows[kind].set(id, { localId: row?.localId ?? state.nextId++, object, deleted: false });
    state.versions.set(`${kind} ${id}`, object.updatedAt);
  }
  for (const { kind, id } of gone) {
    const row = state.rows[kind].get(id);
    if (row !== undefined) state.rows[kind].set(id, { ...row, deleted: true });
    state.tombstones.add(`${kind} ${id}`);
  }
  for (const membership of parked) {
    const other = state.parked.get(membership.id);
    if (other === undefined || other.updatedAt < membership.updatedAt) state.parked.set(membership.id, membership);
  }
  for (const id of unparked) {
    state.parked.delete(id);
    for (const entry of state.inbox.values()) {
      if (entry.subject === `membership ${id}` && entry.status === "parked") entry.status = "applied";
    }
  }
  check(state);
  return present.length;
}

/** What a database's constraints would say. */
function check({ rows }: State): void {
  for (const kind of ["user", "organization"] as const) {
    for (const field of unique[kind]) {
      const values = [...rows[kind].values()].map(({ object }) => textOf(object, field));
      if (new Set(values).size < values.length) throw new Error(`${kind}.${field} is not unique`);
    }
  }
  const pairs = new Set<string>();
  for (const { object } of rows.membership.values()) {
    const { user, organization } = object.joins ?? { user: "", organization: "" };
    if (!rows.user.has(user) || !rows.organization.has(organization)) throw new Error(`${object.id} has no parents`);
    if (pairs.has(`${user} ${organization}`)) throw new Error(`${user} is twice in ${organization}`);
    pairs.add(`${user} ${organization}`);
  }
}
