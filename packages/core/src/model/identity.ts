import type { Mask } from "./carry.ts";

/** What a backup leaves out so that it names nobody; the identity provider gives it back. By table label. */
export interface Skeleton {
  readonly masked: Readonly<Record<string, Mask>>;
  /** Conditions that rows have to meet besides their keep rule. */
  readonly only: Readonly<Record<string, string>>;
}

/** What an identity provider has: people, organizations, and who is a member of which. */
export type IdentityKind = "user" | "organization" | "membership";

/** The values of each kind that a column may be filled with. `createdAt` and `updatedAt` are the provider's. */
export const identityFields = {
  user: [
    "email",
    "firstName",
    "lastName",
    "imageUrl",
    "username",
    "externalId",
    "phoneNumber",
    "publicMetadata",
    "privateMetadata",
    "banned",
    "locked",
    "lastSignInAt",
    "createdAt",
    "updatedAt",
  ],
  organization: [
    "name",
    "slug",
    "imageUrl",
    "publicMetadata",
    "privateMetadata",
    "maxAllowedMemberships",
    "createdAt",
    "updatedAt",
  ],
  membership: ["role", "permissions", "publicMetadata", "privateMetadata", "createdAt", "updatedAt"],
} as const satisfies Record<IdentityKind, readonly string[]>;
