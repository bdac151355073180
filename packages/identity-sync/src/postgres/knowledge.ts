import type { SqlSession } from "@replant/core";
import type { Kind, ProviderObject } from "../model/objects.ts";
import type { ApplyTransaction, Holder, Pair, Parked } from "../ports/store.ts";
import type { Layout } from "./layout.ts";
import { keySql, lookupSql, msSql } from "./values.ts";

/** What the database knows of objects of the provider: the reading half of `ApplyTransaction`. */
export function knowledge(session: SqlSession, layout: Layout): Omit<ApplyTransaction, "write"> {
  const { kinds, own } = layout;
  return {
    async known(kind, ids) {
      const { table, id } = kinds[kind];
      const rows = await session.query<{ id: string; updated_at: number | null; gone: boolean; row: boolean }>(
        `select w.id, ${msSql("o.provider_updated_at")} as updated_at, coalesce(o.gone, false) as gone,
                t.${id.sql} is not null as row
           from unnest($1::text[]) as w (id)
           ${lookupSql(own.objects, "o", "o.kind = $2::text and o.id = w.id")}
           ${lookupSql(table, "t", `t.${id.sql} = w.id::${id.type}`)}`,
        [ids, kind],
      );
      return new Map(rows.map(({ id: of, updated_at: updatedAt, gone, row }) => [of, { updatedAt, gone, row }]));
    },
    uniqueFields: (kind) => [...new Set(kinds[kind].fields.flatMap(({ unique, field }) => (unique ? [field] : [])))],
    holders: (kind, objects) => holders(session, { layout, kind, objects }),
    pairs: (memberships) => pairs(session, layout, memberships),
    async membershipsOf(kind, ids) {
      const { membership, [kind]: parent } = kinds;
      const join = membership.joins.find((candidate) => candidate.kind === kind);
      const rows = await session.query<{ id: string }>(
        `select m.${membership.id.sql}::text as id
           from ${parent.table} p join ${membership.table} m on m.${join?.sql} = p.${join?.target}
          where p.${parent.id.sql} = any($1::${parent.id.type}[]) and m.${membership.id.sql} is not null
          union select id from ${own.parked} where ${kind}_id = any($1::text[])`,
        [ids],
      );
      return rows.map(({ id }) => id);
    },
    async parkedFor(kind, ids) {
      const rows = await session.query<{ object: string }>(
        `select object::text as object from ${own.parked} where ${kind}_id = any($1::text[]) order by id`,
        [ids],
      );
      return rows.map(({ object }) => JSON.parse(object) as Parked);
    },
    async watermark() {
      const [row] = await session.query<{ value: string }>(
        `select value::text as value from ${own.state} where id = 'watermark'`,
      );
      return row === undefined ? null : (JSON.parse(row.value) as number | null);
    },
  };
}

async function holders(
  session: SqlSession,
  { layout, kind, objects }: { layout: Layout; kind: Kind; objects: readonly ProviderObject[] },
): Promise<Holder[]> {
  const { table, id, fields } = layout.kinds[kind];
  const unique = fields.filter((column) => column.unique);
  if (unique.length === 0) return [];
  const wanted = unique.flatMap(({ field }, n) =>
    objects.flatMap((object) =>
      typeof object.fields[field] === "string" ? [{ n, id: object.id, value: object.fields[field] }] : [],
    ),
  );
  const branches = unique.map(
    (column, n) =>
      `select w.n, t.${id.sql}::text as id, w.value from wanted w
         join ${table} t on t.${column.sql} = ${keySql(column, "w.value")}
        where w.n = ${n} and t.${id.sql}::text <> w.id`,
  );
  const rows = await session.query<{
    n: number;
    id: string;
    value: string;
    updated_at: number | null;
    gone: boolean;
  }>(
    `with wanted as materialized (select * from jsonb_to_recordset($1::text::jsonb) as r (n int, id text, value text)),
          held as (${branches.join(" union ")})
     select h.n, h.id, h.value, ${msSql("o.provider_updated_at")} as updated_at, coalesce(o.gone, false) as gone
       from held h ${lookupSql(layout.own.objects, "o", "o.kind = $2::text and o.id = h.id")}
      order by h.n, h.id`,
    [JSON.stringify(wanted), kind],
  );
  return rows.map(({ n, id: of, value, updated_at: updatedAt, gone }) => ({
    kind,
    id: of,
    field: unique[n]?.field ?? "",
    value,
    updatedAt,
    gone,
  }));
}

async function pairs(
  session: SqlSession,
  { kinds, own }: Layout,
  memberships: readonly ProviderObject[],
): Promise<Pair[]> {
  const { membership } = kinds;
  const parents = membership.joins.map(({ kind, target }, n) => {
    const { table, id } = kinds[kind];
    return `(select p.${target} from ${table} p where p.${id.sql} = r.${kind}_id::${id.type}) as p${n}`;
  });
  const joined = membership.joins.map(({ sql }, n) => `m.${sql} = w.p${n}`).join(" and ");
  const rows = await session.query<{ user: string; organization: string; id: string; updated_at: number | null }>(
    `select w.user_id as user, w.organization_id as organization, m.${membership.id.sql}::text as id,
            ${msSql("o.provider_updated_at")} as updated_at
       from (select distinct r.user_id, r.organization_id, ${parents.join(", ")}
               from jsonb_to_recordset($1::text::jsonb) as r (user_id text, organization_id text)) w
       ${lookupSql(membership.table, "m", joined)}
       ${lookupSql(own.objects, "o", `o.kind = 'membership' and o.id = m.${membership.id.sql}::text`)}
      where m.${membership.id.sql} is not null`,
    [JSON.stringify(memberships.map(({ joins }) => ({ user_id: joins?.user, organization_id: joins?.organization })))],
  );
  return rows.map(({ updated_at: updatedAt, ...pair }) => ({ ...pair, updatedAt }));
}
