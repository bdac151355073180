import type { SqlSession } from "@replant/core";
import type { Kind, ProviderObject } from "../model/objects.ts";
import type { InboxTransaction } from "../ports/inbox.ts";
import type { Reference } from "../ports/provider.ts";
import type { FieldDifference, ObjectHistory, SyncState, SyncTransaction } from "../ports/sync.ts";
import type { KindLayout, Layout } from "./layout.ts";
import { differsSql, lookupSql, msSql, recordOf, sourceSql } from "./values.ts";

interface ReferenceRow {
  readonly id: string;
  readonly user: string | null;
  readonly organization: string | null;
}

/** What pull, drift and reconcile ask for. */
export function listings(session: SqlSession, layout: Layout): Omit<SyncTransaction, keyof InboxTransaction> {
  const { kinds, own } = layout;
  return {
    async state() {
      const rows = await session.query<{ id: string; value: string }>(
        `select id, value::text as value from ${own.state}`,
      );
      const found = Object.fromEntries(rows.map(({ id, value }) => [id, JSON.parse(value) as unknown]));
      const none: SyncState = { instance: null, watermark: null, pull: null, lastFull: null };
      return { ...none, ...found };
    },
    async setState(patch) {
      await session.query(
        `insert into ${own.state} (id, value) select key, value from jsonb_each($1::text::jsonb)
           on conflict (id) do update set value = excluded.value`,
        [JSON.stringify(patch)],
      );
    },
    async markSeen(kind, ids) {
      await session.query(
        `insert into ${own.seen} (kind, id) select $2::text, w from unnest($1::text[]) as w on conflict do nothing`,
        [ids, kind],
      );
    },
    async unseen(kind) {
      const notSeen = (id: string): string =>
        `not exists (select from ${own.seen} s where s.kind = '${kind}' and s.id = ${id})`;
      const { id } = kinds[kind];
      const parked = `select p.id, p.user_id, p.organization_id from ${own.parked} p where ${notSeen("p.id")}`;
      return references(
        session,
        `${referencesSql(layout, kind)} and ${notSeen(`t.${id.sql}::text`)} ${kind === "membership" ? `union ${parked}` : ""}`,
      );
    },
    async forgetSeen() {
      await session.query(`delete from ${own.seen}`);
    },
    count: (kind) => count(session, `${kinds[kind].table} t where ${presentSql(kinds[kind])}`),
    ids: (kind) => references(session, referencesSql(layout, kind)),
    async newestUserAt() {
      const [row] = await session.query<{ at: number | null }>(
        `select ${msSql("max(provider_updated_at)")} as at from ${own.objects} where kind = 'user'`,
      );
      return row?.at ?? -Infinity;
    },
    compare: (kind, objects) => compare(session, { layout, kind: kinds[kind], objects }),
    async dependents(kind, id) {
      const { dependents } = kinds[kind];
      if (dependents.length === 0) return [];
      const rows = await session.query<{ n: number; rows: number }>(dependentsSql(kinds[kind]), [id]);
      return rows.map(({ n, rows: of }) => ({ table: dependents[n]?.label ?? "", rows: of }));
    },
    history: (kind, id) => history(session, layout, { kind, id }),
    async values(kind, field) {
      const { table, id, fields } = kinds[kind];
      const column = fields.find((candidate) => candidate.field === field);
      if (column === undefined) return [];
      return session.query<{ id: string; value: string }>(
        `select t.${id.sql}::text as id, t.${column.sql}::text as value from ${table} t
          where ${presentSql(kinds[kind])} and t.${column.sql} is not null order by 1`,
      );
    },
    async rename(kind, ids) {
      if (ids.length === 0) return;
      const { table, id } = kinds[kind];
      const pairs = JSON.stringify(ids);
      await session.query(
        `update ${table} t set ${id.sql} = r."to"::${id.type}
           from jsonb_to_recordset($1::text::jsonb) as r ("from" text, "to" text) where t.${id.sql} = r."from"::${id.type}`,
        [pairs],
      );
      await session.query(
        `delete from ${own.objects} o using jsonb_to_recordset($1::text::jsonb) as r ("from" text, "to" text)
          where o.kind = $2::text and o.id in (r."from", r."to")`,
        [pairs, kind],
      );
    },
    async drop(kind, ids) {
      const { table, id } = kinds[kind];
      await session.query(`delete from ${table} where ${id.sql} = any($1::${id.type}[])`, [ids]);
    },
  };
}

async function history(
  session: SqlSession,
  { kinds, own }: Layout,
  { kind, id }: { kind: Kind; id: string },
): Promise<ObjectHistory> {
  const { table, id: key, localId, deletedAt } = kinds[kind];
  const [row] = await session.query<{ localId: string | null; deletedAt: number | null }>(
    `select ${localId === null ? "null::text" : `t.${localId}::text`} as "localId",
            ${deletedAt === null ? "null::float8" : msSql(`t.${deletedAt.sql}`)} as "deletedAt"
       from ${table} t where t.${key.sql} = $1::${key.type}`,
    [id],
  );
  const [known] = await session.query<{ updatedAt: number | null; gone: boolean; parked: boolean }>(
    `select ${msSql("o.provider_updated_at")} as "updatedAt", coalesce(o.gone, false) as gone,
            exists (select from ${own.parked} p where p.id = $2::text and $1::text = 'membership') as parked
       from (select 1) one left join ${own.objects} o on o.kind = $1::text and o.id = $2::text`,
    [kind, id],
  );
  const messages = await session.query<ObjectHistory["messages"][number]>(
    `select event_id as id, event_type as type, status, ${msSql("occurred_at")} as "occurredAt",
            ${msSql("created_at")} as "receivedAt", error
       from ${own.inbox} where subject = $1 order by number desc limit 50`,
    [`${kind} ${id}`],
  );
  return {
    row: row ?? null,
    updatedAt: known?.updatedAt ?? null,
    gone: known?.gone ?? false,
    parked: known?.parked ?? false,
    messages,
  };
}

/** Rows of the provider that are not gone; those without an id of the provider are the project's own. */
function presentSql({ id, deletedAt }: KindLayout): string {
  return `t.${id.sql} is not null${deletedAt === null ? "" : ` and t.${deletedAt.sql} is null`}`;
}

function referencesSql({ kinds }: Layout, of: Kind): string {
  const { table, id, joins } = kinds[of];
  const parents = joins.map(
    ({ kind, sql, target }) => `left join ${kinds[kind].table} ${kind}_of on ${kind}_of.${target} = t.${sql}`,
  );
  const ids = (["user", "organization"] as const).map((kind) =>
    joins.length === 0 ? `null::text as ${kind}_id` : `${kind}_of.${kinds[kind].id.sql}::text as ${kind}_id`,
  );
  return `select t.${id.sql}::text as id, ${ids.join(", ")} from ${table} t ${parents.join(" ")} where ${presentSql(kinds[of])}`;
}

async function references(session: SqlSession, sql: string): Promise<Reference[]> {
  const rows = await session.query<ReferenceRow>(
    `select id, user_id as user, organization_id as organization from (${sql}) found order by id collate "C"`,
  );
  return rows.map(({ id, user, organization }) => ({
    id,
    joins: user === null || organization === null ? null : { user, organization },
  }));
}

async function count(session: SqlSession, rows: string, params: readonly unknown[] = []): Promise<number> {
  const [row] = await session.query<{ rows: number }>(`select count(*)::int as rows from ${rows}`, params);
  return row?.rows ?? 0;
}

async function compare(
  session: SqlSession,
  { layout, kind, objects }: { layout: Layout; kind: KindLayout; objects: readonly ProviderObject[] },
): Promise<{ missing: string[]; different: FieldDifference[] }> {
  if (objects.length === 0) return { missing: [], different: [] };
  const differences = [
    ...kind.fields.map((column, n) => ({ name: column.field, sql: differsSql(column, `t.${column.sql}`, `s.c${n}`) })),
    ...kind.joins.map(({ kind: name, sql }, n) => ({ name, sql: differsSql({ base: "" }, `t.${sql}`, `s.j${n}`) })),
  ];
  const named = differences.map(({ name, sql }) => `case when ${sql} then '${name}' end`);
  const rows = await session.query<{ id: string; missing: boolean; fields: string[] }>(
    `with ${sourceSql(layout, kind)}
     select s.id::text as id, t.${kind.id.sql} is null as missing, array_remove(array[${named.join(", ")}]::text[], null) as fields
       from source s ${lookupSql(kind.table, "t", `t.${kind.id.sql} = s.id and ${presentSql(kind)}`)}
      where ${[`t.${kind.id.sql} is null`, ...differences.map(({ sql }) => sql)].join(" or ")}
      order by s.id`,
    [JSON.stringify(objects.map((object) => recordOf(object, { layout, kind, localId: null })))],
  );
  return {
    missing: rows.flatMap(({ id, missing }) => (missing ? [id] : [])),
    different: rows.flatMap(({ id, missing, fields }) => (missing ? [] : [{ id, fields: [...new Set(fields)] }])),
  };
}

function dependentsSql({ table, id, dependents }: KindLayout): string {
  const counts = dependents.map(({ table: other, references: keys }, n) => {
    const on = keys.map((key) => key.map(({ column, target }) => `d.${column} = t.${target}`).join(" and "));
    return `select ${n} as n, count(*)::int as rows from ${table} t join ${other} d on (${on.join(") or (")})
             where t.${id.sql} = $1::${id.type}`;
  });
  return `select n, rows from (${counts.join(" union all ")}) counted where rows > 0 order by n`;
}
