import type { TableName } from "@replant/core";
import type { fieldNames, Kind } from "./objects.ts";

/** How one kind of object lies in a table of the project. */
export interface TableMapping<Of extends Kind = Kind> {
  readonly table: TableName;
  /** Column of the provider's id. */
  readonly id: string;
  /** By column: the field that fills it. */
  readonly columns: Readonly<Record<string, (typeof fieldNames)[Of][number]>>;
  /** Column of the moment of a soft deletion; null: rows that are gone are dropped. */
  readonly deletedAt: string | null;
}

export interface MembershipMapping extends TableMapping<"membership"> {
  /** Columns that point at the rows of the user and of the organization. */
  readonly user: string;
  readonly organization: string;
}

/** Where in the project's database what the provider has lies. */
export interface IdentityMapping {
  readonly users: TableMapping<"user">;
  readonly organizations: TableMapping<"organization">;
  readonly memberships: MembershipMapping;
  /**
   * The project's word for each role of the provider; `*` is for all others. Null: roles are written as they are. A role that is
   * not here is an error, because a guess may give rights.
   */
  readonly roles: Readonly<Record<string, string>> | null;
  /** Tables of Replant's own. */
  readonly own: OwnTables;
}

export interface OwnTables {
  /** Messages as they came. */
  readonly inbox: TableName;
  /** By object: the age of the state that was written last, and whether it is gone for good. */
  readonly objects: TableName;
  /** Memberships that wait for their user or their organization. */
  readonly parked: TableName;
  /** What an unfinished listing has had. */
  readonly seen: TableName;
  /** Instance, watermark, unfinished and last complete listing. */
  readonly state: TableName;
}

/** The names in which the own tables are looked for when nothing else is said. */
export const defaultOwnTables: OwnTables = {
  inbox: { schema: "public", name: "identity_inbox" },
  objects: { schema: "public", name: "identity_objects" },
  parked: { schema: "public", name: "identity_parked" },
  seen: { schema: "public", name: "identity_seen" },
  state: { schema: "public", name: "identity_state" },
};

/** The mapping of the reference schema, which is what many projects have. */
export const referenceMapping: IdentityMapping = {
  users: {
    table: { schema: "public", name: "users" },
    id: "clerk_id",
    columns: {
      email: "email",
      first_name: "firstName",
      last_name: "lastName",
      image_url: "imageUrl",
      metadata: "publicMetadata",
      created_at: "createdAt",
      updated_at: "updatedAt",
    },
    deletedAt: "deleted_at",
  },
  organizations: {
    table: { schema: "public", name: "organizations" },
    id: "clerk_id",
    columns: {
      name: "name",
      slug: "slug",
      metadata: "publicMetadata",
      created_at: "createdAt",
      updated_at: "updatedAt",
    },
    deletedAt: "deleted_at",
  },
  memberships: {
    table: { schema: "public", name: "organization_memberships" },
    id: "clerk_membership_id",
    user: "user_id",
    organization: "organization_id",
    columns: { role: "role", permissions: "permissions", created_at: "createdAt", updated_at: "updatedAt" },
    deletedAt: "deleted_at",
  },
  roles: { "org:admin": "admin", "org:member": "member", "*": "viewer" },
  own: { ...defaultOwnTables, inbox: { schema: "public", name: "webhook_events" } },
};
