import type { Kind, ProviderObject } from "../model/objects.ts";

/** What the database knows of an object of the provider. */
export interface Known {
  /** The provider's time of the state that was written last, ms; null where only the row is there, and nobody knows its age. */
  readonly updatedAt: number | null;
  /** True: the provider has deleted it. Ids do not come back. */
  readonly gone: boolean;
  /** True: it has a row, deleted softly or not. */
  readonly row: boolean;
}

/** A row that has a value which only one row may have. */
export interface Holder {
  readonly kind: Kind;
  readonly id: string;
  readonly field: string;
  readonly value: string;
  readonly updatedAt: number | null;
  readonly gone: boolean;
}

/** A membership that waits for its user or its organization. */
export type Parked = ProviderObject & { readonly kind: "membership" };

/** The membership that the database has for a user and an organization. */
export interface Pair {
  readonly user: string;
  readonly organization: string;
  readonly id: string;
  readonly updatedAt: number | null;
}

/** What one call of apply writes, in this order. All ids are the provider's. */
export interface Writes {
  /** Rows that lose a unique value to another object, and get `standIn` for it. */
  readonly displaced: readonly Holder[];
  /** Memberships that stand in for another one of the same user and organization from now on: the row stays, with its local id. */
  readonly replaced: readonly { readonly from: string; readonly to: string }[];
  /** Rows to insert or update. Nothing is written where nothing differs. */
  readonly present: readonly ProviderObject[];
  /** Gone for good: a tombstone, and the row, where there is one, deleted softly (or dropped where the table knows no soft deletion). */
  readonly gone: readonly { readonly kind: Kind; readonly id: string }[];
  /** Of one that waits already the newer state stays. */
  readonly parked: readonly Parked[];
  /** Memberships that wait no more; their parked messages are applied with that. */
  readonly unparked: readonly string[];
}

/** One transaction of the database, beside which no other apply runs. */
export interface ApplyTransaction {
  known(kind: Kind, ids: readonly string[]): Promise<ReadonlyMap<string, Known>>;
  /** Fields whose column holds each value once. */
  uniqueFields(kind: Kind): readonly string[];
  /** Other rows that have one of the values which these objects are about to write into unique columns. */
  holders(kind: Kind, objects: readonly ProviderObject[]): Promise<Holder[]>;
  pairs(memberships: readonly ProviderObject[]): Promise<Pair[]>;
  /** Ids of the memberships of these users or organizations that have a row or wait. */
  membershipsOf(kind: "user" | "organization", ids: readonly string[]): Promise<string[]>;
  /** Memberships that wait for one of these. */
  parkedFor(kind: "user" | "organization", ids: readonly string[]): Promise<Parked[]>;
  /** Events older than this, ms, that say that something is there are no news: a listing that began then has all of it. Null: none yet. */
  watermark(): Promise<number | null>;
  /** Returns how many rows changed. */
  write(writes: Writes): Promise<number>;
}

export interface ApplyStore<Transaction extends ApplyTransaction = ApplyTransaction> {
  /** Runs `work` in one transaction; what it throws takes everything back. */
  apply<Value>(work: (transaction: Transaction) => Promise<Value>): Promise<Value>;
}
