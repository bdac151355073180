import type { Change, Kind, ProviderObject } from "../model/objects.ts";
import { kinds, standIn, textOf } from "../model/objects.ts";
import type { ApplyTransaction, Holder, Known, Parked, Writes } from "../ports/store.ts";

/** A change and where it comes from: a listing is what the provider has now, an event is what it had at a moment (ms; null: unknown). */
export interface Told {
  readonly change: Change;
  readonly from: "listing" | { readonly eventAt: number | null };
}

/** What became of one change. `hint`: it is older than the last complete listing, which has decided already. */
export type Outcome = "applied" | "stale" | "tombstoned" | "parked" | "hint";

export interface Applied {
  /** One for each change, in their order. */
  readonly outcomes: readonly Outcome[];
  readonly rowsChanged: number;
}

const nobody: Known = { updatedAt: null, gone: false, row: false };

/**
 * Brings changes into the database, so that any order, repetition and delay ends in what the provider has:
 * what is gone stays gone; older states never replace newer ones; a membership waits for its user and its organization; a unique
 * value belongs to the object that has had it last; of two memberships of one user in one organization the newer counts.
 */
export async function applyChanges(transaction: ApplyTransaction, told: readonly Told[]): Promise<Applied> {
  const watermark = told.every(({ from }) => from === "listing") ? null : await transaction.watermark();
  const batch = new Batch(transaction);
  const outcomes = new Map<Told, Outcome>();
  for (const kind of kinds) {
    const gone = told.filter(({ change }) => change.type === "gone" && change.kind === kind);
    await batch.bury(
      kind,
      gone.flatMap(({ change }) => (change.type === "gone" ? [change.id] : [])),
    );
    for (const item of gone) outcomes.set(item, "applied");
    const present = told.flatMap((item) =>
      item.change.type === "present" && item.change.object.kind === kind
        ? [{ item, object: item.change.object, refresh: item.from === "listing", hint: isHint(item, watermark) }]
        : [],
    );
    const became = await batch.take(kind, present);
    for (const [index, { item }] of present.entries()) outcomes.set(item, became[index] ?? "stale");
  }
  const rowsChanged = await batch.write();
  return { outcomes: told.map((item) => outcomes.get(item) ?? "stale"), rowsChanged };
}

/** The object, or its absence, was in a listing that began later. */
function isHint({ change, from }: Told, watermark: number | null): boolean {
  if (from === "listing" || watermark === null || change.type === "gone") return false;
  return Math.max(from.eventAt ?? 0, change.object.updatedAt) < watermark;
}

/** An object that the provider has, or had. */
interface Candidate {
  readonly object: ProviderObject;
  readonly hint: boolean;
  /** True: a state of the same age is written too where values differ, because somebody else may have changed the row. */
  readonly refresh: boolean;
}

/** The decisions of one call, seen by those that follow, and written at its end. */
class Batch {
  readonly #transaction: ApplyTransaction;
  readonly #known: Record<Kind, Map<string, Known>> = {
    user: new Map(),
    organization: new Map(),
    membership: new Map(),
  };
  readonly #present = new Map<string, ProviderObject>();
  readonly #gone = new Map<string, { kind: Kind; id: string }>();
  readonly #parked = new Map<string, Parked>();
  readonly #unparked = new Set<string>();
  readonly #displaced: Holder[] = [];
  readonly #replaced: { from: string; to: string }[] = [];

  constructor(transaction: ApplyTransaction) {
    this.#transaction = transaction;
  }

  /** Objects that the provider has no more, and the memberships that go with them. */
  async bury(kind: Kind, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#learn(kind, ids);
    for (const id of ids) this.#bury(kind, id);
    if (kind === "membership") return;
    const orphans = await this.#transaction.membershipsOf(kind, ids);
    await this.bury("membership", orphans);
  }

  /** Returns what becomes of each. */
  async take(kind: Kind, candidates: readonly Candidate[]): Promise<Outcome[]> {
    if (candidates.length === 0) return [];
    await this.#learn(
      kind,
      candidates.map(({ object }) => object.id),
    );
    const outcomes = candidates.map(({ object, hint, refresh }): Outcome => {
      const known = this.#of(kind, object.id);
      if (known.gone) return "tombstoned";
      if (hint) return "hint";
      return isNews(object, known, refresh) ? "applied" : "stale";
    });
    const news = newestOfEach(
      candidates.flatMap(({ object }, index) => (outcomes[index] === "applied" ? [object] : [])),
    );
    if (kind === "membership") {
      const became = await this.#takeMemberships(news);
      return candidates.map(({ object }, index) => {
        const outcome = outcomes[index] ?? "stale";
        return outcome === "applied" ? (became.get(object.id) ?? "stale") : outcome;
      });
    }
    for (const object of await this.#settleUnique(kind, news)) this.#accept(object);
    await this.#unpark(kind, news);
    return outcomes;
  }

  async #takeMemberships(memberships: readonly ProviderObject[]): Promise<ReadonlyMap<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    const joins = memberships.flatMap(({ joins: both }) => (both === null ? [] : [both]));
    await this.#learn(
      "user",
      joins.map(({ user }) => user),
    );
    await this.#learn(
      "organization",
      joins.map(({ organization }) => organization),
    );
    const complete: ProviderObject[] = [];
    for (const membership of memberships) {
      if (membership.joins === null) throw new Error(`membership ${membership.id} joins nothing`);
      const parents = [
        this.#of("user", membership.joins.user),
        this.#of("organization", membership.joins.organization),
      ];
      if (parents.some(({ gone }) => gone)) {
        this.#bury("membership", membership.id);
        outcomes.set(membership.id, "tombstoned");
      } else if (parents.some(({ row }) => !row)) {
        this.#parked.set(membership.id, { ...membership, kind: "membership" });
        this.#unparked.delete(membership.id);
        outcomes.set(membership.id, "parked");
      } else {
        complete.push(membership);
        outcomes.set(membership.id, "applied");
      }
    }
    for (const id of await this.#settlePairs(complete)) outcomes.set(id, "tombstoned");
    return outcomes;
  }

  /** Of several memberships for one user in one organization the newest stays. Returns those that give way at once. */
  async #settlePairs(memberships: readonly ProviderObject[]): Promise<string[]> {
    if (memberships.length === 0) return [];
    const holders = new Map<string, { id: string; updatedAt: number | null; written: boolean }>();
    const pairs = await this.#transaction.pairs(memberships);
    await this.#learn(
      "membership",
      pairs.map(({ id }) => id),
    );
    for (const pair of pairs) {
      // Of one that is gone the row is there all the same, and only one row may have the pair.
      const gone = this.#of("membership", pair.id).gone;
      holders.set(pairKey(pair), { ...pair, updatedAt: gone ? null : pair.updatedAt, written: true });
    }
    for (const object of this.#present.values()) {
      if (object.joins !== null) holders.set(pairKey(object.joins), { ...object, written: false });
    }
    const late: string[] = [];
    for (const membership of memberships) {
      const key = pairKey(membership.joins ?? { user: "", organization: "" });
      const holder = holders.get(key);
      if (holder !== undefined && holder.id !== membership.id) {
        if ((holder.updatedAt ?? -Infinity) > membership.updatedAt) {
          this.#bury("membership", membership.id);
          late.push(membership.id);
          continue;
        }
        this.#present.delete(keyOf("membership", holder.id));
        this.#bury("membership", holder.id);
        if (holder.written) this.#replaced.push({ from: holder.id, to: membership.id });
      }
      holders.set(key, { ...membership, written: holder?.written ?? false });
      this.#accept(membership);
    }
    return late;
  }

  /**
   * A unique value belongs to who has had it last: the provider lets nobody else have it, so news of the other are on their way.
   * Until they come it has a stand-in. Returns the objects as they can be written.
   */
  async #settleUnique(kind: Kind, objects: readonly ProviderObject[]): Promise<ProviderObject[]> {
    const unique = this.#transaction.uniqueFields(kind);
    if (objects.length === 0 || unique.length === 0) return [...objects];
    const writing = new Set(objects.map(({ id }) => id));
    const losers = new Map<string, Set<string>>();
    const newest = new Map<string, { id: string; updatedAt: number }>();
    const claim = (key: string, field: string, { id, updatedAt }: { id: string; updatedAt: number }): void => {
      const other = newest.get(key);
      const wins = other === undefined || updatedAt >= other.updatedAt;
      const loser = wins ? other?.id : id;
      if (loser !== undefined) losers.set(loser, new Set([...(losers.get(loser) ?? []), field]));
      if (wins) newest.set(key, { id, updatedAt });
    };
    const holders = await this.#transaction.holders(kind, objects);
    for (const holder of holders) {
      const { id, field, value, updatedAt } = holder;
      const stays = !holder.gone && !this.#of(kind, id).gone && !writing.has(id);
      if (stays) claim(`${field} ${value}`, field, { id, updatedAt: updatedAt ?? -Infinity });
    }
    const wanted = (object: ProviderObject): { field: string; value: string }[] =>
      unique.flatMap((field) => {
        const value = textOf(object, field);
        return value === null ? [] : [{ field, value }];
      });
    for (const object of objects) {
      for (const { field, value } of wanted(object)) claim(`${field} ${value}`, field, object);
    }
    this.#displaced.push(...holders.filter(({ id, field, value }) => newest.get(`${field} ${value}`)?.id !== id));
    return objects.map((object) => {
      const lost = [...(losers.get(object.id) ?? [])];
      if (lost.length === 0) return object;
      const standIns = Object.fromEntries(
        lost.map((field) => [field, standIn(object.id, textOf(object, field) ?? "")]),
      );
      return { ...object, fields: { ...object.fields, ...standIns } };
    });
  }

  /** Memberships that waited for these, and can go on now. */
  async #unpark(kind: "user" | "organization", objects: readonly ProviderObject[]): Promise<void> {
    const ids = objects.map(({ id }) => id);
    const waiting = ids.length === 0 ? [] : await this.#transaction.parkedFor(kind, ids);
    for (const { id } of waiting) this.#unparked.add(id);
    await this.#learn(
      "membership",
      waiting.map(({ id }) => id),
    );
    await this.#takeMemberships(
      waiting.filter((membership) => {
        const known = this.#of("membership", membership.id);
        return !known.gone && isNews(membership, known, false);
      }),
    );
  }

  #accept(object: ProviderObject): void {
    this.#present.set(keyOf(object.kind, object.id), object);
    this.#known[object.kind].set(object.id, { updatedAt: object.updatedAt, gone: false, row: true });
    if (object.kind !== "membership") return;
    this.#parked.delete(object.id);
    this.#unparked.add(object.id);
  }

  #bury(kind: Kind, id: string): void {
    this.#gone.set(keyOf(kind, id), { kind, id });
    this.#present.delete(keyOf(kind, id));
    this.#parked.delete(id);
    if (kind === "membership") this.#unparked.add(id);
    this.#known[kind].set(id, { ...this.#of(kind, id), gone: true });
  }

  #of(kind: Kind, id: string): Known {
    return this.#known[kind].get(id) ?? nobody;
  }

  async #learn(kind: Kind, ids: readonly string[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.#known[kind].has(id));
    if (unknown.length === 0) return;
    const known = await this.#transaction.known(kind, unknown);
    for (const id of unknown) this.#known[kind].set(id, known.get(id) ?? nobody);
  }

  async write(): Promise<number> {
    const writes: Writes = {
      displaced: this.#displaced,
      replaced: this.#replaced,
      present: [...this.#present.values()],
      gone: [...this.#gone.values()],
      parked: [...this.#parked.values()],
      unparked: [...this.#unparked].filter((id) => !this.#parked.has(id)),
    };
    return Object.values(writes).every((list) => list.length === 0) ? 0 : this.#transaction.write(writes);
  }
}

function isNews(object: ProviderObject, { updatedAt, row }: Known, refresh: boolean): boolean {
  if (!row || updatedAt === null || object.updatedAt > updatedAt) return true;
  return refresh && object.updatedAt === updatedAt;
}

function newestOfEach(objects: readonly ProviderObject[]): ProviderObject[] {
  const newest = new Map<string, ProviderObject>();
  for (const object of objects) {
    const other = newest.get(object.id);
    if (other === undefined || other.updatedAt <= object.updatedAt) newest.set(object.id, object);
  }
  return [...newest.values()];
}

function keyOf(kind: Kind, id: string): string {
  return `${kind} ${id}`;
}

function pairKey({ user, organization }: { readonly user: string; readonly organization: string }): string {
  return `${user} ${organization}`;
}
