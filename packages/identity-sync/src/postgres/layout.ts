import type { SqlSession, TableName } from "@replant/core";
import { identityFields, ReplantError, sameTable, tableLabel } from "@replant/core";
import type { IdentityMapping, OwnTables, TableMapping } from "../model/mapping.ts";
import type { Kind } from "../model/objects.ts";
import { kinds } from "../model/objects.ts";
import type { CatalogColumn, CatalogReference, CatalogTable } from "./catalog.ts";
import { readTables } from "./catalog.ts";
import { quoteIdent, quoteTable } from "./names.ts";
import { ownTableNames, ownTables } from "./own-tables.ts";

/** A column that a field of the provider's objects fills. */
export interface FieldColumn extends CatalogColumn {
  readonly sql: string;
  readonly field: string;
  /** It holds each value once. */
  readonly unique: boolean;
}

/** A column of memberships, and what it points at. */
export interface JoinColumn {
  readonly kind: "user" | "organization";
  readonly sql: string;
  /** Column of the table of `kind` whose value stands in it. */
  readonly target: string;
}

/** Rows of another table that hang on rows of one. */
export interface Dependent {
  readonly label: string;
  readonly table: string;
  readonly references: readonly { readonly column: string; readonly target: string }[][];
}

/** How the objects of one kind lie in their table. Names are quoted. */
export interface KindLayout {
  readonly kind: Kind;
  readonly table: string;
  readonly id: { readonly sql: string; readonly type: string };
  readonly fields: readonly FieldColumn[];
  readonly joins: readonly JoinColumn[];
  readonly deletedAt: { readonly sql: string; readonly type: string } | null;
  /** The primary key where it is one uuid that no field fills; null: the database makes it. */
  readonly localId: string | null;
  readonly dependents: readonly Dependent[];
}

export interface Layout {
  readonly kinds: Readonly<Record<Kind, KindLayout>>;
  readonly own: Readonly<Record<keyof OwnTables, string>>;
  readonly roles: IdentityMapping["roles"];
}

/**
 * Finds the tables of the mapping and its own in the database.
 * @throws ReplantError REPLANT_IDENTITY_SCHEMA with everything that is missing
 */
export async function readLayout(session: SqlSession, mapping: IdentityMapping): Promise<Layout> {
  const { users, organizations, memberships, own } = mapping;
  const wanted = [users.table, organizations.table, memberships.table, ...ownTableNames.map((which) => own[which])];
  const [user, organization, membership, ...rest] = await readTables(session, wanted);
  const problems = new Problems();
  const tables = { user: user ?? null, organization: organization ?? null, membership: membership ?? null };
  const layouts = kinds.map((kind) => {
    const table = tables[kind];
    if (table === null) problems.add(`table ${tableLabel(mappingOf(mapping, kind).table)} is missing`);
    return table === null ? null : layoutOf(kind, { mapping, tables: { ...tables, [kind]: table }, problems });
  });
  for (const [n, which] of ownTableNames.entries()) assertOwn(own[which], { which, found: rest[n] ?? null, problems });
  problems.assertNone();
  const [ofUser, ofOrganization, ofMembership] = layouts;
  if (!ofUser || !ofOrganization || !ofMembership) throw new Error("a table is missing and was not reported");
  return {
    kinds: { user: ofUser, organization: ofOrganization, membership: ofMembership },
    own: {
      inbox: quoteTable(own.inbox),
      objects: quoteTable(own.objects),
      parked: quoteTable(own.parked),
      seen: quoteTable(own.seen),
      state: quoteTable(own.state),
    },
    roles: mapping.roles,
  };
}

class Problems {
  readonly #found: string[] = [];

  add(problem: string): void {
    this.#found.push(problem);
  }

  assertNone(): void {
    if (this.#found.length === 0) return;
    throw new ReplantError("REPLANT_IDENTITY_SCHEMA", "the database does not have what the identity mapping names", {
      items: this.#found,
      state: "nothing was written",
      hint: "add the tables with a migration (replant identity schema prints them), or correct the mapping",
    });
  }
}

function mappingOf({ users, organizations, memberships }: IdentityMapping, kind: Kind): TableMapping {
  return { user: users, organization: organizations, membership: memberships }[kind];
}

interface Found {
  readonly mapping: IdentityMapping;
  readonly tables: Readonly<Record<Kind, CatalogTable | null>>;
  readonly problems: Problems;
}

function layoutOf(kind: Kind, found: Found): KindLayout | null {
  const { mapping, tables, problems } = found;
  const of = mappingOf(mapping, kind);
  const table = tables[kind];
  if (table === null) return null;
  const label = tableLabel(of.table);
  const column = (name: string): CatalogColumn | null => {
    const known = table.columns.find((candidate) => candidate.name === name) ?? null;
    if (known === null) problems.add(`column ${label}.${name} is missing`);
    return known;
  };
  const id = column(of.id);
  if (id !== null && !isUnique(table, of.id, { plain: true })) problems.add(`column ${label}.${of.id} is not unique`);
  const fields = Object.entries(of.columns).flatMap(([name, field]): FieldColumn[] => {
    const known = column(name);
    if (!(identityFields[kind] as readonly string[]).includes(field))
      problems.add(`${label}.${name}: no field "${field}"`);
    if (known === null || known.automatic) return [];
    return [{ ...known, sql: quoteIdent(name), field, unique: isUnique(table, name, { plain: false }) }];
  });
  assertRoles(fields, { label, roles: mapping.roles, problems });
  const deletedAt = of.deletedAt === null ? null : column(of.deletedAt);
  const written = new Set([of.id, of.deletedAt, ...Object.keys(of.columns)]);
  return {
    kind,
    table: quoteTable(of.table),
    // `character` without a length would be one letter.
    id: { sql: quoteIdent(of.id), type: id === null || id.base === "character" ? "text" : id.base },
    fields,
    joins: kind === "membership" ? joinsOf(found, column) : [],
    deletedAt: deletedAt === null ? null : { sql: quoteIdent(deletedAt.name), type: deletedAt.type },
    localId: localIdOf(table, written),
    dependents: dependentsOf(table.references, mapping.memberships.table),
  };
}

function isUnique({ keys }: CatalogTable, column: string, { plain }: { readonly plain: boolean }): boolean {
  return keys.some((key) => key.columns.length === 1 && key.columns[0] === column && (key.plain || !plain));
}

function assertRoles(
  fields: readonly FieldColumn[],
  { label, roles, problems }: { label: string; roles: IdentityMapping["roles"]; problems: Problems },
): void {
  for (const { name, field, labels } of fields) {
    if (field !== "role" || labels === null || roles === null) continue;
    for (const role of new Set(Object.values(roles))) {
      if (!labels.includes(role)) problems.add(`${label}.${name} has no value "${role}", which the roles map to`);
    }
  }
}

function localIdOf({ keys, columns }: CatalogTable, written: ReadonlySet<string | null>): string | null {
  const [name, ...others] = keys.find(({ primary }) => primary)?.columns ?? [];
  if (name === undefined || others.length > 0 || written.has(name)) return null;
  const column = columns.find((candidate) => candidate.name === name);
  return column?.base === "uuid" && !column.automatic ? quoteIdent(name) : null;
}

/** What the columns of memberships point at: by their foreign keys, and without one the primary key of the other table. */
function joinsOf({ mapping, tables, problems }: Found, column: (name: string) => CatalogColumn | null): JoinColumn[] {
  return (["user", "organization"] as const).flatMap((kind): JoinColumn[] => {
    const name = mapping.memberships[kind];
    const target = tables[kind];
    if (column(name) === null || target === null) return [];
    const reference = target.references.find(
      ({ columns, ...table }) =>
        sameTable(table, mapping.memberships.table) && columns.length === 1 && columns[0] === name,
    );
    const columns = reference?.targetColumns ?? target.keys.find(({ primary }) => primary)?.columns ?? [];
    if (columns[0] === undefined || columns.length > 1) {
      problems.add(`${tableLabel(mappingOf(mapping, kind).table)} has no key that memberships could point at`);
      return [];
    }
    return [{ kind, sql: quoteIdent(name), target: quoteIdent(columns[0]) }];
  });
}

function dependentsOf(references: readonly CatalogReference[], memberships: TableName): Dependent[] {
  const others = references.filter((reference) => !sameTable(reference, memberships));
  return [...Map.groupBy(others, quoteTable)].map(([table, group]) => ({
    label: group[0] === undefined ? table : tableLabel(group[0]),
    table,
    references: group.map(({ columns, targetColumns }) =>
      columns.map((column, n) => ({ column: quoteIdent(column), target: quoteIdent(targetColumns[n] ?? column) })),
    ),
  }));
}

function assertOwn(
  name: TableName,
  { which, found, problems }: { which: keyof OwnTables; found: CatalogTable | null; problems: Problems },
): void {
  if (found === null) {
    problems.add(`table ${tableLabel(name)} is missing`);
    return;
  }
  for (const column of ownTables[which].columns) {
    if (found.columns.some((candidate) => candidate.name === column.name)) continue;
    problems.add(`column ${tableLabel(name)}.${column.name} is missing`);
  }
}
