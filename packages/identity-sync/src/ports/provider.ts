import type { Kind, ProviderEvent, ProviderObject } from "../model/objects.ts";

/** The provider's side of a database: what it calls itself, and whether people depend on it. */
export interface ProviderInstance {
  readonly id: string;
  readonly environment: "development" | "production";
  /** Now by the provider's clock, ms; never later than it is. */
  readonly now: number;
}

export interface Capabilities {
  /** Pages of users follow a cursor: deletions in the middle of a listing move nothing. */
  readonly cursor: boolean;
  readonly instanceWideMemberships: boolean;
  /** Events come in the order in which things happened. */
  readonly orderedEvents: boolean;
  /** Deletions send an event. */
  readonly deletesVisible: boolean;
}

export interface Page {
  readonly objects: readonly ProviderObject[];
  /** What `list` takes for the page after this one; null: it is the last. */
  readonly next: string | null;
  /** Objects of this kind; null where the provider does not say it. */
  readonly total: number | null;
}

/** What an object is looked up by. */
export type Reference = Pick<ProviderObject, "id" | "joins">;

export interface QuickLook {
  readonly counts: Readonly<Record<Kind, number>>;
  /** When any user was changed last, ms; null where there is none. */
  readonly newestUserAt: number | null;
}

/** Somebody whom a seed needs. */
export interface WantedUser {
  readonly externalId: string;
  readonly email: string;
  readonly firstName?: string;
  readonly lastName?: string;
}

/**
 * An identity provider. Every call may take long: waits that the provider asks for are kept inside.
 * @throws ReplantError REPLANT_IDENTITY_PROVIDER for what it refuses, or when it cannot be reached
 */
export interface IdentityProvider {
  readonly name: string;
  readonly capabilities: Capabilities;
  instance(): Promise<ProviderInstance>;
  /**
   * One page, oldest first, as large as the provider gives them. Deletions between two pages leave nobody out; what is there all
   * the time is on one of them, and may be on two. @param after `next` of the page before; null for the first
   */
  list(kind: Kind, after: string | null): Promise<Page>;
  /** Those of the references that are there now. */
  find(kind: Kind, references: readonly Reference[]): Promise<ProviderObject[]>;
  /** At most 4 requests. */
  look(): Promise<QuickLook>;
  /** Finds users by e-mail address. */
  usersByEmail(emails: readonly string[]): Promise<ProviderObject[]>;
  /** Finds users by the id that the application has given them. */
  usersByExternalId(ids: readonly string[]): Promise<ProviderObject[]>;
  /** Finds organizations by their slugs. */
  organizationsBySlug(slugs: readonly string[]): Promise<ProviderObject[]>;
  /** Finds the user of this external id, or creates it. Only in development. */
  ensureUser(wanted: WantedUser): Promise<ProviderObject>;
  /** What a webhook says; its signature has been looked at. @throws ReplantError REPLANT_IDENTITY_EVENT */
  readonly readEvent: (body: string) => ProviderEvent;
}
