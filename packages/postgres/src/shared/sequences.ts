import type { RecordedSequence, SqlSession, TableName } from "@replant/core";
import { quoteTable } from "./quote.ts";

/** A sequence and a column that draws from it. */
export interface FeedingSequence extends TableName {
  readonly table: TableName;
  readonly column: string;
  /** True for a column of whole numbers: its values are the sequence's own. */
  readonly whole: boolean;
}

interface FeedingRow extends Record<string, unknown> {
  readonly schema: string;
  readonly name: string;
  readonly table_schema: string;
  readonly table_name: string;
  readonly column: string;
  readonly whole: boolean;
  readonly readable: boolean;
}

/** Sequences that identity columns, serial columns and defaults with `nextval` of these tables draw from. */
export async function feedingSequences(session: SqlSession, tables: readonly TableName[]): Promise<FeedingSequence[]> {
  return (await feedingRows(session, tables)).map(toFeeding);
}

/** See `RowPort.sequences`. */
export async function recordSequences(session: SqlSession, tables: readonly TableName[]): Promise<RecordedSequence[]> {
  const found = (await feedingRows(session, tables)).filter(({ readable }) => readable).map(toFeeding);
  if (found.length === 0) return [];
  const states = await session.query<{ i: number; value: string; called: boolean }>(
    found
      .map(
        (sequence, i) =>
          `select ${i} as i, last_value::text as value, is_called as called from ${quoteTable(sequence)}`,
      )
      .join(" union all "),
  );
  return states
    .toSorted((a, b) => a.i - b.i)
    .flatMap(({ i, value, called }) => {
      const sequence = found[i];
      if (sequence === undefined) return [];
      const { schema, name, table, column } = sequence;
      return [{ schema, name, table, column, lastValue: value, isCalled: called }];
    });
}

async function feedingRows(session: SqlSession, tables: readonly TableName[]): Promise<FeedingRow[]> {
  if (tables.length === 0) return [];
  return session.query<FeedingRow>(
    `select distinct sn.nspname collate "C" as schema, s.relname collate "C" as name, n.nspname collate "C" as table_schema,
       c.relname collate "C" as table_name, a.attname collate "C" as column,
       a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) as whole, has_sequence_privilege(s.oid, 'select') as readable
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       join pg_depend p on (p.classid = 'pg_attrdef'::regclass and p.objid = d.oid and p.refclassid = 'pg_class'::regclass)
         or (p.classid = 'pg_class'::regclass and p.refclassid = 'pg_class'::regclass and p.refobjid = c.oid
             and p.refobjsubid = a.attnum and p.deptype in ('a', 'i'))
       join pg_class s on s.relkind = 'S' and s.oid = case when p.classid = 'pg_attrdef'::regclass then p.refobjid else p.objid end
       join pg_namespace sn on sn.oid = s.relnamespace
     where c.oid::regclass = any($1::text[]::regclass[])
     order by 3, 4, 5, 1, 2`,
    [tables.map(quoteTable)],
  );
}

function toFeeding({ schema, name, table_schema, table_name, column, whole }: FeedingRow): FeedingSequence {
  return { schema, name, table: { schema: table_schema, name: table_name }, column, whole };
}
