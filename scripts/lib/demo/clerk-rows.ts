import type { SqlSession } from "../../../packages/core/src/index.ts";

/** What a row is called outside of this database; rows that no provider knows have their id alone. */
const names = {
  users: "clerk_id",
  organizations: "clerk_id",
  organization_memberships: "clerk_membership_id",
  organization_services: "id",
  organization_prompts: "id",
} as const;

export type Table = keyof typeof names;

export interface Row {
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
  const entries: [string, Row[]][] = [];
  for (const [table, name] of Object.entries(names)) {
    const rows = await session.query<Row>(
      `select ${name}::text as name, id::text, to_jsonb(t) ->> 'deleted_at' is null as alive, to_jsonb(t)::text as content
         from ${table} t order by id`,
    );
    entries.push([table, rows]);
  }
  return Object.fromEntries(entries) as unknown as Rows;
}

export function alive(rows: Rows, table: Table): number {
  return rows[table].filter((row) => row.alive).length;
}

/** How many rows of a table are there afterwards too, and under how many of their names the id is the same. */
export function kept(before: Rows, after: Rows, table: Table): { same: number; of: number; equal: number } {
  const there = new Map(after[table].map((row) => [row.name, row]));
  return {
    of: before[table].length,
    same: before[table].filter(({ name, id }) => there.get(name)?.id === id).length,
    equal: before[table].filter(({ name, content }) => there.get(name)?.content === content).length,
  };
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
