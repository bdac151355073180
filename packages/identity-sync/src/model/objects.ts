import type { IdentityKind } from "@replant/core";

/** What an identity provider has, and what is kept of it. A membership joins one user and one organization. */
export type Kind = IdentityKind;

/** In the order in which they can be written. */
export const kinds: readonly Kind[] = ["user", "organization", "membership"];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * One object of the provider, in the words of this package whoever the provider is. Times are milliseconds since 1970, UTC, by the
 * provider's clock.
 */
export interface ProviderObject {
  readonly kind: Kind;
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Values by the names that a mapping may use; see `identityFields`. */
  readonly fields: Readonly<Record<string, Json>>;
  /** Of a membership: the provider's ids of what it joins; null otherwise. */
  readonly joins: { readonly user: string; readonly organization: string } | null;
}

/** What is known to have happened to one object. */
export type Change =
  | { readonly type: "present"; readonly object: ProviderObject }
  | { readonly type: "gone"; readonly kind: Kind; readonly id: string };

/** One message of the provider, understood. */
export interface ProviderEvent {
  readonly type: string;
  /** When it happened by the provider's clock, ms; null where the message does not say. */
  readonly occurredAt: number | null;
  /** The provider's instance that sent it; null where the message does not say. */
  readonly instance: string | null;
  /** The object that it is about; null for types that say nothing about users, organizations and memberships. */
  readonly subject: { readonly kind: Kind; readonly id: string } | null;
  /** Null: nothing to do. */
  readonly change: Change | null;
}

/** What stands in a unique column while another object has its value. Recognisable, of one object only, and still like a value. */
export function standIn(id: string, value: string): string {
  return `displaced-${id}-${value}`;
}

/** A field's text; null where it is no text. */
export function textOf({ fields }: Pick<ProviderObject, "fields">, field: string): string | null {
  const value = fields[field];
  return typeof value === "string" ? value : null;
}
