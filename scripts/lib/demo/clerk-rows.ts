import type { SqlSession } from "../../../packages/core/src/index.ts";

export type Table =
  | "users"
  | "organizations"
  | "organization_memberships"
  | "organization_services"
  | "organization_prompts";

export interface Row {
  /** What Clerk calls it; the id where Clerk knows nothing of it. */
  readonly name: string;
  readonly id: string;
  /** Not deleted softly. */
  readonly alive: boolean;
  /** Every column, as the database's own text. */
  readonly content: string;
}

export type Rows = Readonly<Record<Table, readonly Row[]>>;

/** Reads every row of the tables that Clerk fills, and of two that hang on them. */
export async function readRows(session: SqlSession): Promise<Rows> {
  const read = (table: Table, name: string): Promise<Row[]> =>
    session.query<Row>(
      `select ${name}::text as name, id::text, to_jsonb(t) ->> 'deleted_at' is null as alive, to_jsonb(t)::text as content
         from ${table} t order by id`,
    );
  return {
    users: await read("users", "clerk_id"),
    organizations: await read("organizations", "clerk_id"),
    organization_memberships: await read("organization_memberships", "clerk_membership_id"),
    organization_services: await read("organization_services", "id"),
    organization_prompts: await read("organization_prompts", "id"),
  };
}

export function alive(rows: Rows, table: Table): number {
  return rows[table].filter((row) => row.alive).length;
}

/** How many rows of `before` there are in these tables, and how many of them have the same value of `column` afterwards. */
export function compareRows(
  { before, after }: { readonly before: Rows; readonly after: Rows },
  column: "id" | "content",
  tables: readonly Table[],
): { readonly same: number; readonly of: number } {
  const found = tables.flatMap((table) => {
    const there = new Map(after[table].map((row) => [row.name, row]));
    return before[table].map((row) => there.get(row.name)?.[column] === row[column]);
  });
  return { same: found.filter(Boolean).length, of: found.length };
}

/** Custom rows of two organizations, by slug: what a team makes in the app. */
export const customRows = `
insert into organization_services (organization_id, mcp_server_id, configuration)
select o.id, s.id, jsonb_build_object('server', s.server_key)
  from organizations o, (select id, server_key from mcp_servers order by server_key limit 2) s where o.slug in ('acme', 'globex');
insert into organization_prompts (organization_id, mcp_server_id, name, template, created_by)
select o.id, s.id, 'summary of ' || o.name, 'Summarise {{ text }} for ' || o.name,
  (select user_id from organization_memberships m where m.organization_id = o.id order by id limit 1)
  from organizations o, (select id from mcp_servers order by server_key limit 1) s where o.slug in ('acme', 'globex');
`;
