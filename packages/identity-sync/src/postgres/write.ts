import type { SqlSession } from "@replant/core";
import type { Kind, ProviderObject } from "../model/objects.ts";
import { kinds, standIn } from "../model/objects.ts";
import type { Holder, Writes } from "../ports/store.ts";
import type { KindLayout, Layout } from "./layout.ts";
import { localId } from "../model/local-id.ts";
import { differsSql, lookupSql, momentSql, recordOf, sourceSql } from "./values.ts";

/** One call of apply as statements over all rows of a kind. Returns the rows of the project's tables that changed. */
export async function write(session: SqlSession, layout: Layout, writes: Writes): Promise<number> {
  const { displaced, replaced, present, gone, parked, unparked } = writes;
  const writer = new Writer(session, layout);
  for (const holder of displaced) await writer.displace(holder);
  await writer.replace(replaced);
  for (const kind of kinds) await writer.present(kind, ofKind(present, kind));
  // What hangs on a row goes before it.
  for (const kind of kinds.toReversed()) {
    const ids = ofKind(gone, kind).map(({ id }) => id);
    await writer.bury(kind, ids);
  }
  await writer.park(parked);
  await writer.unpark(unparked);
  return writer.changed;
}

function ofKind<Item extends { readonly kind: Kind }>(items: readonly Item[], kind: Kind): Item[] {
  return items.filter((item) => item.kind === kind);
}

class Writer {
  readonly #session: SqlSession;
  readonly #layout: Layout;
  /** Rows that changed: one that loses a value and is written after that counts once. */
  readonly #changed = new Set<string>();

  constructor(session: SqlSession, layout: Layout) {
    this.#session = session;
    this.#layout = layout;
  }

  get changed(): number {
    return this.#changed.size;
  }

  async displace({ kind, id, field, value }: Holder): Promise<void> {
    const { table, id: key, fields } = this.#layout.kinds[kind];
    const columns = fields.filter((column) => column.unique && column.field === field);
    const set = columns.map(({ sql }) => `${sql} = $2`).join(", ");
    await this.#run(kind, `update ${table} t set ${set} where ${key.sql} = $1::${key.type} ${this.#returning(kind)}`, [
      id,
      standIn(id, value),
    ]);
  }

  async replace(replaced: Writes["replaced"]): Promise<void> {
    if (replaced.length === 0) return;
    const { table, id } = this.#layout.kinds.membership;
    await this.#run(
      "membership",
      `update ${table} t set ${id.sql} = r."to"::${id.type}
         from jsonb_to_recordset($1::text::jsonb) as r ("from" text, "to" text)
        where t.${id.sql} = r."from"::${id.type} ${this.#returning("membership")}`,
      [JSON.stringify(replaced)],
    );
  }

  async present(kind: Kind, objects: readonly ProviderObject[]): Promise<void> {
    if (objects.length === 0) return;
    const layout = this.#layout;
    const of = layout.kinds[kind];
    const records = objects.map((object) =>
      recordOf(object, { layout, kind: of, localId: of.localId === null ? null : localId(object.id) }),
    );
    await this.#run(kind, presentSql(layout, of), [JSON.stringify(records), kind]);
  }

  /** Tombstones, and the rows deleted. */
  async bury(kind: Kind, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { table, id, deletedAt } = this.#layout.kinds[kind];
    await this.#session.query(
      `insert into ${this.#layout.own.objects} as o (kind, id, gone) select $2::text, w, true from unnest($1::text[]) as w
         on conflict (kind, id) do update set gone = true where not o.gone`,
      [ids, kind],
    );
    const which = `${id.sql} = any($1::${id.type}[])`;
    const sql =
      deletedAt === null
        ? `delete from ${table} t where ${which}`
        : `update ${table} t set ${deletedAt.sql} = now()::${deletedAt.type} where ${which} and ${deletedAt.sql} is null`;
    await this.#run(kind, `${sql} ${this.#returning(kind)}`, [ids]);
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
    const { own } = this.#layout;
    await this.#session.query(`delete from ${own.parked} where id = any($1::text[])`, [ids]);
    await this.#session.query(
      `update ${own.inbox} set status = 'applied' where status = 'parked' and subject = any($1::text[])`,
      [ids.map((id) => `membership ${id}`)],
    );
  }

  #returning(kind: Kind): string {
    return `returning t.${this.#layout.kinds[kind].id.sql}::text as id`;
  }

  async #run(kind: Kind, sql: string, params: readonly unknown[]): Promise<void> {
    const rows = await this.#session.query<{ id: string }>(sql, params);
    for (const { id } of rows) this.#changed.add(`${kind} ${id}`);
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
    insert into ${table} as t (${inserted.join(", ")})
    select ${selected.join(", ")} from source s ${lookupSql(table, "e", `e.${id.sql} = s.id`)}
     where ${[`e.${id.sql} is null`, ...differs].join(" or ")}
        on conflict (${id.sql}) do update set ${updated.join(", ")}
    returning t.${id.sql}::text as id), aged as (
    insert into ${layout.own.objects} as o (kind, id, provider_updated_at)
    select $2::text, s.id::text, s.at
      from source s ${lookupSql(layout.own.objects, "a", "a.kind = $2::text and a.id = s.id::text")}
     where a.provider_updated_at is distinct from s.at
        on conflict (kind, id) do update set provider_updated_at = excluded.provider_updated_at)
  select id from written`;
}
