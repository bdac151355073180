import type { SqlSession } from "@replant/core";
import type { Kind, ProviderObject } from "../model/objects.ts";
import { kinds, standIn } from "../model/objects.ts";
import type { Holder, Writes } from "../ports/store.ts";
import type { KindLayout, Layout } from "./layout.ts";
import { localId } from "./local-id.ts";
import { differsSql, momentSql, recordOf, sourceSql } from "./values.ts";

/** One call of apply as statements over all rows of a kind. Returns the rows of the project's tables that changed. */
export async function write(session: SqlSession, layout: Layout, writes: Writes): Promise<number> {
  const { present, gone } = writes;
  const writer = new Writer(session, layout);
  // A row that loses a value and is written anyway counts once.
  const written = new Set(present.map(keyOf));
  let changed = 0;
  for (const holder of writes.displaced) {
    const rows = await writer.displace(holder);
    changed += written.has(keyOf(holder)) ? 0 : rows;
  }
  await writer.replace(writes.replaced);
  for (const kind of kinds) changed += await writer.present(kind, ofKind(present, kind));
  // What hangs on a row goes before it.
  for (const kind of kinds.toReversed()) {
    changed += await writer.bury(
      kind,
      ofKind(gone, kind).map(({ id }) => id),
    );
  }
  await writer.park(writes.parked);
  await writer.unpark(writes.unparked);
  return changed;
}

function keyOf({ kind, id }: { readonly kind: Kind; readonly id: string }): string {
  return `${kind} ${id}`;
}

function ofKind<Item extends { readonly kind: Kind }>(items: readonly Item[], kind: Kind): Item[] {
  return items.filter((item) => item.kind === kind);
}

class Writer {
  readonly #session: SqlSession;
  readonly #layout: Layout;

  constructor(session: SqlSession, layout: Layout) {
    this.#session = session;
    this.#layout = layout;
  }

  async displace({ kind, id, field, value }: Holder): Promise<number> {
    const { table, id: key, fields } = this.#layout.kinds[kind];
    const columns = fields.filter((column) => column.unique && column.field === field);
    return this.#count(
      `update ${table} set ${columns.map(({ sql }) => `${sql} = $2`).join(", ")} where ${key.sql} = $1::${key.type}`,
      [id, standIn(id, value)],
    );
  }

  async replace(replaced: Writes["replaced"]): Promise<void> {
    if (replaced.length === 0) return;
    const { table, id } = this.#layout.kinds.membership;
    await this.#session.query(
      `update ${table} t set ${id.sql} = r."to"::${id.type}
         from jsonb_to_recordset($1::text::jsonb) as r ("from" text, "to" text) where t.${id.sql} = r."from"::${id.type}`,
      [JSON.stringify(replaced)],
    );
  }

  async present(kind: Kind, objects: readonly ProviderObject[]): Promise<number> {
    if (objects.length === 0) return 0;
    const layout = this.#layout;
    const of = layout.kinds[kind];
    const records = objects.map((object) =>
      recordOf(object, { layout, kind: of, localId: of.localId === null ? null : localId(object.id) }),
    );
    return this.#rows(presentSql(layout, of), [JSON.stringify(records), kind]);
  }

  /** Tombstones, and the rows deleted. */
  async bury(kind: Kind, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const { table, id, deletedAt } = this.#layout.kinds[kind];
    await this.#session.query(
      `insert into ${this.#layout.own.objects} as o (kind, id, gone) select $2::text, w, true from unnest($1::text[]) as w
         on conflict (kind, id) do update set gone = true where not o.gone`,
      [ids, kind],
    );
    const which = `${id.sql} = any($1::${id.type}[])`;
    return deletedAt === null
      ? this.#count(`delete from ${table} where ${which}`, [ids])
      : this.#count(
          `update ${table} set ${deletedAt.sql} = now()::${deletedAt.type} where ${which} and ${deletedAt.sql} is null`,
          [ids],
        );
  }

  async park(parked: Writes["parked"]): Promise<void> {
    if (parked.length === 0) return;
    const records = parked.map((object) => ({
      id: object.id,
      user_id: object.joins?.user,
      organization_id: object.joins?.organization,
      at: object.updatedAt,
      object,
    }));
    await this.#session.query(
      `insert into ${this.#layout.own.parked} as p (id, user_id, organization_id, provider_updated_at, object)
       select r.id, r.user_id, r.organization_id, ${momentSql("r.at")}, r.object
         from jsonb_to_recordset($1::text::jsonb) as r (id text, user_id text, organization_id text, at float8, object jsonb)
           on conflict (id) do update set user_id = excluded.user_id, organization_id = excluded.organization_id,
              provider_updated_at = excluded.provider_updated_at, object = excluded.object
        where p.provider_updated_at < excluded.provider_updated_at`,
      [JSON.stringify(records)],
    );
  }

  async unpark(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#session.query(`delete from ${this.#layout.own.parked} where id = any($1::text[])`, [ids]);
  }

  #count(sql: string, params: readonly unknown[]): Promise<number> {
    return this.#rows(`with written as (${sql} returning 1) select count(*)::int as rows from written`, params);
  }

  async #rows(sql: string, params: readonly unknown[]): Promise<number> {
    const [row] = await this.#session.query<{ rows: number }>(sql, params);
    return row?.rows ?? 0;
  }
}

/**
 * Inserts or updates what differs, and remembers the age of every state. Rows that are equal are left out before the insert: a
 * conflict would lock them, and use up numbers of sequences.
 */
function presentSql(layout: Layout, kind: KindLayout): string {
  const { table, id, deletedAt, localId: own } = kind;
  const columns = [
    ...kind.fields.map((column, n) => ({ sql: column.sql, base: column.base, source: `c${n}` })),
    ...kind.joins.map(({ sql }, n) => ({ sql, base: "", source: `j${n}` })),
  ];
  const inserted = [id.sql, ...(own === null ? [] : [own]), ...columns.map(({ sql }) => sql)];
  const selected = ["s.id", ...(own === null ? [] : ["s.local_id"]), ...columns.map(({ source }) => `s.${source}`)];
  const updated = [
    `${id.sql} = excluded.${id.sql}`,
    ...columns.map(({ sql }) => `${sql} = excluded.${sql}`),
    ...(deletedAt === null ? [] : [`${deletedAt.sql} = null`]),
  ];
  const differs = [
    ...columns.map(({ sql, base, source }) => differsSql({ base }, `e.${sql}`, `s.${source}`)),
    ...(deletedAt === null ? [] : [`e.${deletedAt.sql} is not null`]),
  ];
  return `with ${sourceSql(layout, kind)}, written as (
    insert into ${table} (${inserted.join(", ")})
    select ${selected.join(", ")} from source s left join ${table} e on e.${id.sql} = s.id
     where ${[`e.${id.sql} is null`, ...differs].join(" or ")}
        on conflict (${id.sql}) do update set ${updated.join(", ")}
    returning 1), aged as (
    insert into ${layout.own.objects} as o (kind, id, provider_updated_at) select $2::text, s.id::text, s.at from source s
        on conflict (kind, id) do update set provider_updated_at = excluded.provider_updated_at
     where o.provider_updated_at is distinct from excluded.provider_updated_at)
  select count(*)::int as rows from written`;
}
