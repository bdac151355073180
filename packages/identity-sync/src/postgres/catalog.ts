import type { SqlSession, TableName } from "@replant/core";

export interface CatalogColumn {
  readonly name: string;
  /** As the server writes it, with and without what stands in parentheses. */
  readonly type: string;
  readonly base: string;
  readonly notNull: boolean;
  /** The server makes its values: generated, or an identity that takes no other. */
  readonly automatic: boolean;
  /** Of an enum, in order. */
  readonly labels: readonly string[] | null;
}

export interface CatalogKey {
  readonly columns: readonly string[];
  readonly primary: boolean;
  /** False: it holds for some rows, or at the end of the transaction. */
  readonly plain: boolean;
}

/** A foreign key that points at the table. */
export interface CatalogReference extends TableName {
  readonly columns: readonly string[];
  readonly targetColumns: readonly string[];
}

export interface CatalogTable {
  readonly columns: readonly CatalogColumn[];
  readonly keys: readonly CatalogKey[];
  readonly references: readonly CatalogReference[];
}

/** Reads what writing into these tables needs to know, in one query. Null for a table that is not there. */
export async function readTables(session: SqlSession, tables: readonly TableName[]): Promise<(CatalogTable | null)[]> {
  const rows = await session.query<{ n: number; found: string }>(tablesSql, [
    JSON.stringify(tables.map(({ schema, name }, n) => ({ n, schema, name }))),
  ]);
  const found = new Map(rows.map((row) => [row.n, JSON.parse(row.found) as CatalogTable]));
  return tables.map((_, n) => found.get(n) ?? null);
}

const tablesSql = `
select w.n, json_build_object('columns', columns.list, 'keys', keys.list, 'references', refs.list)::text as found
  from jsonb_to_recordset($1::text::jsonb) as w (n int, schema text, name text)
  join pg_namespace s on s.nspname = w.schema
  join pg_class c on c.relnamespace = s.oid and c.relname = w.name and c.relkind in ('r', 'p')
  cross join lateral (
    select coalesce(json_agg(json_build_object(
             'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'base', format_type(a.atttypid, null),
             'notNull', a.attnotnull, 'automatic', a.attgenerated <> '' or a.attidentity = 'a',
             'labels', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid)
           ) order by a.attnum), '[]') as list
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) columns
  cross join lateral (
    select coalesce(json_agg(json_build_object(
             'columns', k.columns, 'primary', i.indisprimary, 'plain', i.indpred is null and i.indimmediate)
             order by i.indisprimary desc, i.indexrelid), '[]') as list
      from pg_index i
      cross join lateral (
        select json_agg(a.attname order by u.place) as columns
          from unnest(i.indkey::int2[]) with ordinality as u (attnum, place)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
         where u.place <= i.indnkeyatts) k
     where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indexprs is null) keys
  cross join lateral (
    select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', r.relname,
             'columns', (select json_agg(a.attname order by u.place) from unnest(k.conkey) with ordinality u (attnum, place)
                         join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
             'targetColumns', (select json_agg(a.attname order by u.place) from unnest(k.confkey) with ordinality u (attnum, place)
                               join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum))
             order by n.nspname, r.relname, k.conname), '[]') as list
      from pg_constraint k join pg_class r on r.oid = k.conrelid join pg_namespace n on n.oid = r.relnamespace
     where k.confrelid = c.oid and k.contype = 'f' and k.conparentid = 0) refs`;
