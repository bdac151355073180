import type { ProviderEvent } from "../model/objects.ts";
import type { ApplyStore, ApplyTransaction } from "./store.ts";

/**
 * `pending` waits to be applied; `applied` has been, or was no news; `parked` is a membership that waits for its user or its
 * organization; `ignored` says nothing to this database; `dead` failed too often, and waits for a person.
 */
export type InboxStatus = "pending" | "applied" | "parked" | "ignored" | "dead";

/** A message as it came; what it says is read from `body` when it is applied. */
export interface Delivery {
  /** The provider's id of the message, the same at every attempt. */
  readonly id: string;
  /** Exactly what was signed. */
  readonly body: string;
  /** False: it came in by hand, not through a signature. */
  readonly verified: boolean;
  readonly event: ProviderEvent;
}

export interface InboxEntry {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
}

export interface InboxCounts {
  readonly pending: number;
  readonly parked: number;
  readonly dead: number;
  /** When the oldest that is pending came in, ms; null when none is. */
  readonly oldestPendingAt: number | null;
}

export interface Settled {
  readonly id: string;
  readonly status: InboxStatus;
  readonly error: string | null;
}

/** Messages that have been promised to the provider: once `receive` returns they survive a crash. */
export interface Inbox {
  /** Commits. False: a message of this id is there already. */
  receive(delivery: Delivery): Promise<boolean>;
  counts(): Promise<InboxCounts>;
  /** Makes messages pending again; returns how many. */
  requeue(which: "dead" | { readonly since: number } | { readonly id: string }): Promise<number>;
}

export interface InboxTransaction extends ApplyTransaction {
  /** The oldest pending messages, locked until the transaction ends. */
  pending(limit: number): Promise<InboxEntry[]>;
  settle(settled: readonly Settled[]): Promise<void>;
}

/** What a database has for identity-sync. */
export interface IdentityStore<
  Transaction extends InboxTransaction = InboxTransaction,
> extends ApplyStore<Transaction> {
  readonly inbox: Inbox;
}
