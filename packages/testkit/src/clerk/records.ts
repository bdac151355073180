/** What an instance remembers of a user; the JSON of the API is made from it when it is asked for. */
export interface UserRecord {
  readonly id: string;
  readonly createdAt: number;
  updatedAt: number;
  /** The first is the primary one. */
  emails: readonly string[];
  firstName: string | null;
  lastName: string | null;
  username: string | null;
  externalId: string | null;
  banned: boolean;
  locked: boolean;
  publicMetadata: Metadata;
  privateMetadata: Metadata;
  unsafeMetadata: Metadata;
  lastActiveAt: number | null;
}

export interface OrganizationRecord {
  readonly id: string;
  readonly createdAt: number;
  updatedAt: number;
  name: string;
  slug: string;
  readonly createdBy: string | null;
  maxAllowedMemberships: number;
  publicMetadata: Metadata;
  privateMetadata: Metadata;
}

export interface MembershipRecord {
  readonly id: string;
  readonly createdAt: number;
  updatedAt: number;
  readonly organizationId: string;
  readonly userId: string;
  role: string;
  publicMetadata: Metadata;
  privateMetadata: Metadata;
}

export type Metadata = Readonly<Record<string, unknown>>;
