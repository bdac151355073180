import type { SqlSession } from "@replant/core";
import { ReplantError } from "@replant/core";

export interface TargetColumn {
  readonly name: string;
  /** Quoted by the server. */
  readonly sql: string;
  /** As the server writes it, modifier included. */
  readonly type: string;
  /** json, jsonb, arrays and domains of them: values go in as JSON. */
  readonly json: boolean;
  readonly identityAlways: boolean;
}

/** A table that a seed writes to. */
export interface TargetTable {
  readonly label: string;
  /** Quoted by the server, with schema. */
  readonly sql: string;
  readonly columns: readonly TargetColumn[];
  /** Column sets by which the server can tell that a row is there. */
  readonly keys: readonly (readonly string[])[];
}

/**
 * Reads what an upsert must know of a table, in one query.
 * @param label `name` (schema public) or `schema.name`
 * @throws ReplantError REPLANT_SEED_FAILED when there is no such table
 */
export async function describeTable(session: SqlSession, label: string): Promise<TargetTable> {
  const [row] = await session.query<{ sql: string; columns: string; keys: string }>(describeSql, [label]);
  if (row === undefined) {
    throw new ReplantError("REPLANT_SEED_FAILED", `there is no table "${label}"`, {
      hint: `write "name" for a table in schema public, "schema.name" for any other`,
    });
  }
  return {
    label,
    sql: row.sql,
    columns: JSON.parse(row.columns) as TargetColumn[],
    keys: JSON.parse(row.keys) as string[][],
  };
}

const describeSql = `
select format('%I.%I', n.nspname, c.relname) as sql, columns.list as columns, keys.list as keys
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select coalesce(json_agg(json_build_object(
             'name', a.attname, 'sql', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
             'json', coalesce(element.typname, base.typname, t.typname) in ('json', 'jsonb'),
             'identityAlways', a.attidentity = 'a') order by a.attnum), '[]')::text as list
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      left join pg_type base on base.oid = nullif(t.typbasetype, 0)
      left join pg_type element on element.oid = nullif(t.typelem, 0) and t.typcategory = 'A'
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) columns
  cross join lateral (
    select coalesce(json_agg(k.columns order by i.indisprimary desc, i.indexrelid), '[]')::text as list
      from pg_index i
      cross join lateral (
        select json_agg(a.attname order by u.place) as columns
          from unnest(i.indkey::int2[]) with ordinality as u (attnum, place)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
         where u.place <= i.indnkeyatts) k
     where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid
       and i.indpred is null and i.indexprs is null) keys
 where c.relkind in ('r', 'p')
   and ((n.nspname = 'public' and c.relname = $1) or n.nspname || '.' || c.relname = $1)
 order by n.nspname = 'public' desc
 limit 1`;
