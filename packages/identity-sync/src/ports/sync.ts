import type { Kind } from "../model/objects.ts";
import type { IdentityStore, InboxStatus, InboxTransaction } from "./inbox.ts";
import type { ProviderObject } from "../model/objects.ts";
import type { Reference } from "./provider.ts";

/** How far a listing has come. */
export interface PullState {
  /** When it began, by the provider's clock, ms. */
  readonly startedAt: number;
  readonly kind: Kind;
  /** `Page.next` of the last page that is written; null at the beginning of a kind. */
  readonly after: string | null;
  readonly listed: Readonly<Record<Kind, number>>;
}

export interface SyncState {
  /** The one instance that this database belongs to; null: none yet. */
  readonly instance: { readonly id: string; readonly environment: "development" | "production" } | null;
  /** See `ApplyTransaction.watermark`. */
  readonly watermark: number | null;
  /** An unfinished listing. */
  readonly pull: PullState | null;
  /** The last complete listing. */
  readonly lastFull: { readonly at: number; readonly counts: Readonly<Record<Kind, number>> } | null;
}

/** A row that differs from what the provider has. */
export interface FieldDifference {
  readonly id: string;
  readonly fields: readonly string[];
}

/** Everything that is known of one object. */
export interface ObjectHistory {
  /** Null: it has no row. Times are ms; `localId` is null where the table has no uuid of its own. */
  readonly row: { readonly localId: string | null; readonly deletedAt: number | null } | null;
  /** Of the state that was written last, ms; null: none was. */
  readonly updatedAt: number | null;
  readonly gone: boolean;
  /** A membership that waits for its user or its organization. */
  readonly parked: boolean;
  /** Newest first, at most 50. */
  readonly messages: readonly {
    readonly id: string;
    readonly type: string;
    readonly status: InboxStatus;
    readonly occurredAt: number | null;
    readonly receivedAt: number;
    readonly error: string | null;
  }[];
}

/** Rows of other tables that hang on a row. */
export interface Dependents {
  readonly table: string;
  readonly rows: number;
}

export interface SyncTransaction extends InboxTransaction {
  state(): Promise<SyncState>;
  setState(patch: Partial<SyncState>): Promise<void>;
  /** Remembers that a listing has these. */
  markSeen(kind: Kind, ids: readonly string[]): Promise<void>;
  /** Rows that are not gone, and waiting memberships, which no page of the listing had. */
  unseen(kind: Kind): Promise<Reference[]>;
  forgetSeen(): Promise<void>;
  /** Rows that are not gone. */
  count(kind: Kind): Promise<number>;
  ids(kind: Kind): Promise<Reference[]>;
  /** The newest of the times that the provider has given to states of users which are written, ms; -Infinity without any. */
  newestUserAt(): Promise<number>;
  /** Those of these objects whose row is missing, or deleted softly, or has other values. */
  compare(kind: Kind, objects: readonly ProviderObject[]): Promise<{ missing: string[]; different: FieldDifference[] }>;
  /** What hangs on these rows by foreign keys, memberships left out. */
  dependents(kind: Kind, id: string): Promise<Dependents[]>;
  history(kind: Kind, id: string): Promise<ObjectHistory>;
  /** What the rows that are not gone have in the column of a field; rows without a value are left out. */
  values(kind: Kind, field: string): Promise<{ readonly id: string; readonly value: string }[]>;
  /**
   * Gives rows other ids of the provider; local ids stay. Whatever was known of either id is forgotten, so that the next state
   * counts whatever its age.
   */
  rename(kind: Kind, ids: readonly { readonly from: string; readonly to: string }[]): Promise<void>;
  /** Removes rows for good. What hangs on them goes by the rules of its foreign keys. */
  drop(kind: Kind, ids: readonly string[]): Promise<void>;
}

export type SyncStore = IdentityStore<SyncTransaction>;
