import type { identityFields, Skeleton, TableName } from "@replant/core";
import { tableLabel } from "@replant/core";
import type { Kind } from "./objects.ts";

/** How one kind of object lies in a table of the project. */
export interface TableMapping<Of extends Kind = Kind> {
  readonly table: TableName;
  /** Column of the provider's id. */
  readonly id: string;
  /** By column: the field that fills it. */
  readonly columns: Readonly<Record<string, (typeof identityFields)[Of][number]>>;
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
    },
    deletedAt: "deleted_at",
  },
  memberships: {
    table: { schema: "public", name: "organization_memberships" },
    id: "clerk_membership_id",
    user: "user_id",
    organization: "organization_id",
    columns: { role: "role", permissions: "permissions", created_at: "createdAt" },
    deletedAt: "deleted_at",
  },
  roles: { "org:admin": "admin", "org:member": "member", "*": "viewer" },
  own: { ...defaultOwnTables, inbox: { schema: "public", name: "webhook_events" } },
};

/** What a configuration says of one table: labels as they are written. */
export interface TableSection {
  readonly table: string;
  readonly id: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly deletedAt: string | null;
}

/** What a configuration says; null and absent: as in the reference schema. */
export interface MappingSection {
  readonly users: TableSection | null;
  readonly organizations: TableSection | null;
  readonly memberships: (TableSection & { readonly user: string; readonly organization: string }) | null;
  readonly roles?: Readonly<Record<string, string>> | null;
  readonly tables: Readonly<Partial<Record<keyof OwnTables, string>>>;
}

/** The mapping that a configuration means. The names of its fields have been checked. */
export function mappingOf({ users, organizations, memberships, roles, tables }: MappingSection): IdentityMapping {
  const { own } = referenceMapping;
  const named = (table: keyof OwnTables): TableName =>
    tables[table] === undefined ? own[table] : nameOf(tables[table]);
  return {
    users: users === null ? referenceMapping.users : (mapped(users) as TableMapping<"user">),
    organizations:
      organizations === null ? referenceMapping.organizations : (mapped(organizations) as TableMapping<"organization">),
    memberships: memberships === null ? referenceMapping.memberships : (mapped(memberships) as MembershipMapping),
    roles: roles === undefined ? referenceMapping.roles : roles,
    own: {
      inbox: named("inbox"),
      objects: named("objects"),
      parked: named("parked"),
      seen: named("seen"),
      state: named("state"),
    },
  };
}

function mapped<Section extends TableSection>(
  section: Section,
): Omit<Section, "table"> & { readonly table: TableName } {
  return { ...section, table: nameOf(section.table) };
}

/** A label without a schema is one of `public`. */
function nameOf(label: string): TableName {
  const dot = label.indexOf(".");
  return dot < 0 ? { schema: "public", name: label } : { schema: label.slice(0, dot), name: label.slice(dot + 1) };
}

/** Fields that say who somebody is, or what an organization is called. */
const personal: ReadonlySet<string> = new Set([
  "email",
  "firstName",
  "lastName",
  "imageUrl",
  "username",
  "phoneNumber",
  "name",
  "slug",
  "publicMetadata",
  "privateMetadata",
]);

/**
 * What a backup without names leaves out: columns that the next listing fills again, and messages, whose bodies hold all of it.
 * The last complete listing is forgotten, so that the next one is complete.
 */
export function skeletonOf({ users, organizations, memberships, own }: IdentityMapping): Skeleton {
  const masked = [users, organizations, memberships].map(({ table, id, columns }) => {
    const names = Object.keys(columns).filter((name) => personal.has(columns[name] ?? ""));
    return [tableLabel(table), { by: id, columns: names }] as const;
  });
  return {
    masked: Object.fromEntries(masked),
    only: {
      [tableLabel(own.inbox)]: "false",
      [tableLabel(own.parked)]: "false",
      [tableLabel(own.state)]: "id not in ('lastFull', 'pull')",
    },
  };
}

/** Tables whose rows every reset keeps: what is promised to the provider, and what is known to be gone. */
export function ownKept({ inbox, objects, parked, state }: OwnTables): readonly TableName[] {
  return [inbox, objects, parked, state];
}
