import type { Catalog, Column, ForeignKey, Key, SqlSession, Table, TableName } from "@replant/core";

interface TableRow extends TableName {
  oid: string;
  estimate: string;
  has_children: boolean;
}
interface ColumnRow {
  oid: string;
  name: string;
  type: string;
  base: string;
  not_null: boolean;
  default: string | null;
  identity: string;
  generated: string;
  labels: string[] | null;
}
interface KeyRow {
  oid: string;
  name: string;
  primary: boolean;
  columns: string[];
}
interface ForeignKeyRow {
  oid: string;
  name: string;
  columns: string[];
  target_schema: string;
  target_name: string;
  target_columns: string[];
}

// Extension members belong to the extension; `replant` is ours; partitions are read and written through their parent.
const tablesSql = `
select c.oid::text, n.nspname as schema, c.relname as name, c.reltuples::bigint::text as estimate,
  exists (select from pg_inherits i join pg_class h on h.oid = i.inhrelid where i.inhparent = c.oid and not h.relispartition) as has_children
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'replant')
  and not (n.nspname = 'public' and c.relname = '_prisma_migrations')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"`;

const columnsSql = `
select a.attrelid::text as oid, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
  format_type(a.atttypid, null) as base, a.attnotnull as not_null, pg_get_expr(d.adbin, d.adrelid) as default,
  a.attidentity::text as identity, a.attgenerated::text as generated,
  (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e
   where e.enumtypid = case when t.typcategory = 'A' then t.typelem else t.oid end) as labels
from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum`;

const keysSql = `
select i.indrelid::text as oid, c.relname as name, i.indisprimary as primary,
  (select array_agg(a.attname::text order by k.n) from unnest(i.indkey::int2[]) with ordinality k(attnum, n)
   join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where k.n <= i.indnkeyatts) as columns
from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indrelid = any($1::oid[]) and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
order by i.indrelid, i.indisprimary desc, c.relname collate "C"`;

const foreignKeysSql = `
select k.conrelid::text as oid, k.conname as name,
  (select array_agg(a.attname::text order by u.n) from unnest(k.conkey) with ordinality u(attnum, n)
   join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) as columns,
  n.nspname as target_schema, c.relname as target_name,
  (select array_agg(a.attname::text order by u.n) from unnest(k.confkey) with ordinality u(attnum, n)
   join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum) as target_columns
from pg_constraint k join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and k.conrelid = any($1::oid[]) and k.conparentid = 0
order by k.conrelid, k.conname collate "C"`;

/** Reads the user's tables in five queries, whatever their number. See `Engine.catalog`. */
export async function readCatalog(session: SqlSession): Promise<Catalog> {
  const tables = await session.query<TableRow>(tablesSql);
  const oids = [tables.map((table) => table.oid)];
  const columns = groupByOid(await session.query<ColumnRow>(columnsSql, oids));
  const keys = groupByOid(await session.query<KeyRow>(keysSql, oids));
  const foreignKeys = groupByOid(await session.query<ForeignKeyRow>(foreignKeysSql, oids));
  return {
    tables: tables.map((table): Table => ({
      schema: table.schema,
      name: table.name,
      columns: (columns.get(table.oid) ?? []).map(toColumn),
      keys: (keys.get(table.oid) ?? []).map(toKey),
      foreignKeys: (foreignKeys.get(table.oid) ?? []).map(toForeignKey),
      rowEstimate: Number(table.estimate),
      ...(table.has_children ? { hasChildren: true } : {}),
    })),
  };
}

function groupByOid<Row extends { oid: string }>(rows: Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => row.oid);
}

function toColumn(row: ColumnRow): Column {
  return {
    name: row.name,
    type: row.type,
    baseType: row.base,
    notNull: row.not_null,
    default: row.default,
    identity: row.identity === "a" ? "always" : row.identity === "d" ? "default" : "none",
    generated: row.generated !== "",
    enumLabels: row.labels,
  };
}

function toKey(row: KeyRow): Key {
  return { name: row.name, columns: row.columns, primary: row.primary };
}

function toForeignKey(row: ForeignKeyRow): ForeignKey {
  return {
    name: row.name,
    columns: row.columns,
    target: { schema: row.target_schema, name: row.target_name },
    targetColumns: row.target_columns,
  };
}
