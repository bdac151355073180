/** By what a seed means somebody: an e-mail address, the id that the application has given, or the provider's own. */
export type IdentityReference =
  | { readonly email: string }
  | { readonly externalId: string }
  | { readonly providerId: string };

/** Somebody whom a seed needs, and whom it makes where nobody is. */
export interface WantedIdentity {
  readonly externalId: string;
  readonly email: string;
  readonly firstName?: string;
  readonly lastName?: string;
}

/** Whom a seed means. */
export interface ResolvedIdentity {
  readonly providerId: string;
  readonly email: string | null;
  /** A uuid for a row of this person that does not exist yet: the same in every database. */
  readonly localId: string;
  /** True: the provider could not be asked. The row becomes that of the real person when it can. */
  readonly placeholder: boolean;
}

/**
 * The people whom seeds may mean.
 * @throws ReplantError REPLANT_IDENTITY_UNRESOLVED listing who is there | REPLANT_IDENTITY_PRODUCTION | REPLANT_IDENTITY_PROVIDER
 */
export interface Identities {
  /** What the answers depend on besides the questions: a baseline that was seeded with other answers is another one. */
  readonly scope: string;
  /** Somebody who has to be there. @param name what the seed calls this person, for messages and placeholders */
  require(name: string, reference: IdentityReference): Promise<ResolvedIdentity>;
  /** Somebody who is made, in a development instance only, unless a user of this external id is there. */
  ensure(name: string, wanted: WantedIdentity): Promise<ResolvedIdentity>;
}
