import type { Catalog, SqlSession } from "@replant/core";
import { ReplantError, sqlState, tableLabel } from "@replant/core";
import { columnList, doBlock, ownRows, quoteTable } from "../quote.ts";
import type { Exclusion } from "./merge.ts";
import { findMerges, lateConflicts, mergeSql, rememberReplacedSql, repointSeededSql } from "./merge.ts";
import { danglingSql, resolveMissing } from "./references.ts";
import type { ReferenceMaps } from "./references.ts";
import { followReplacedSeedsSql } from "./seeds.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { writtenColumns } from "./staging.ts";

interface Failure {
  readonly table: StagedTable;
  readonly rows: readonly Exclusion[];
}

/**
 * Loads every table. When the server refuses rows, all is taken back, those rows are quarantined with the server's reason,
 * references to them are settled, and the load is tried again: what is loaded in the end is loaded as a whole.
 */
export async function loadAll(
  session: SqlSession,
  { staging, maps, catalog }: { staging: Staging; maps: ReferenceMaps; catalog: Catalog },
): Promise<ReadonlyMap<StagedTable, number>> {
  for (;;) {
    await session.script(
      "savepoint replant_load; create temp table replant_failed (n bigint primary key, reason text not null)",
    );
    const merged = new Map<StagedTable, number>();
    let failure: Failure | null = null;
    for (const [index, table] of staging.tables.entries()) {
      const conflicts = await lateConflicts(session, table);
      if (conflicts.length > 0) {
        failure = { table, rows: conflicts };
        break;
      }
      const merges = await findMerges(session, table);
      merged.set(table, merges);
      failure = await (merges === 0
        ? write(session, table, insertSql)
        : mergeTable(session, { table, staging, catalog, index }));
      if (failure !== null) break;
    }
    failure ??= await findDangling(session, staging, maps);
    if (failure === null) {
      await session.script("release savepoint replant_load; drop table replant_failed");
      return merged;
    }
    await session.script("rollback to savepoint replant_load");
    await exclude(session, failure);
    await resolveMissing(session, staging, maps);
  }
}

/** Rows whose reference means nothing after all, because what it means was replaced: the constraint would refuse all rows. */
async function findDangling(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<Failure | null> {
  for (const table of staging.tables) {
    if (table.plan.references.length === 0) continue;
    const found = table.plan.references.map((reference) => danglingSql(table, reference, maps));
    const rows = await session.query<Exclusion>(`select distinct on (q.n) q.n::text as n, q.kind, q.reason, q.r
      from (${found.join(" union all ")}) q order by q.n`);
    if (rows.length > 0) return { table, rows };
  }
  return null;
}

/** Loads a table of which some rows take the place of existing ones. */
async function mergeTable(
  session: SqlSession,
  { table, staging, catalog, index }: { table: StagedTable; staging: Staging; catalog: Catalog; index: number },
): Promise<Failure | null> {
  const rows = ownRows(table.plan.table);
  for (const sql of followReplacedSeedsSql(table, { staging, rows })) await session.query(sql);
  for (const sql of rememberReplacedSql(table, catalog, index)) await session.query(sql);
  const failure = (await write(session, table, mergeSql)) ?? (await write(session, table, insertSql));
  if (failure !== null) return failure;
  for (const sql of repointSeededSql(table, { staging, catalog, index })) await session.query(sql);
  return null;
}

type WriteSql = (table: StagedTable, condition: string) => string;

/** Writes all rows at once; only when the server refuses that, it is asked row by row. */
async function write(session: SqlSession, table: StagedTable, sql: WriteSql): Promise<Failure | null> {
  try {
    await session.script(`savepoint replant_table; ${sql(table, "true")}; release savepoint replant_table`);
    return null;
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    await session.script("rollback to savepoint replant_table");
    return findFailing(session, table, { sql, error });
  }
}

/** Inserts the rows that do not replace another. */
function insertSql(table: StagedTable, condition: string): string {
  const written = writtenColumns(table.plan);
  const names = columnList(written.map(({ column }) => column.target.name));
  const override = written.some(({ column }) => column.target.identity === "always") ? "overriding system value" : "";
  // Without a column to write, every row is one of defaults.
  const into = written.length === 0 ? "" : `(${names}) ${override}`;
  return `insert into ${quoteTable(table.plan.table)} ${into}
    select ${written.map(({ index }) => `r.f${index}`).join(", ")} from ${table.resolved} r
    where not exists (select from ${table.merged} g where g.n = r.n) and ${condition}`;
}

/** Tries the rows one by one on the server and collects its reason for each that fails. */
async function findFailing(
  session: SqlSession,
  table: StagedTable,
  { sql, error }: { sql: WriteSql; error: unknown },
): Promise<Failure> {
  const rows = sql === mergeSql ? table.merged : table.rows;
  await session.script(
    doBlock(`declare replant_row bigint; replant_column text; begin
    for replant_row in select n from ${rows} order by n loop
      begin
        ${sql(table, "r.n = replant_row")};
      exception when others then
        get stacked diagnostics replant_column = column_name;
        insert into replant_failed values (replant_row,
          case when replant_column = '' then '' else replant_column || ': ' end || sqlerrm);
      end;
    end loop; end`),
  );
  const failed = await session.query<Exclusion>(
    "select n::text as n, 'quarantined' as kind, reason from replant_failed",
  );
  if (failed.length === 0) {
    throw new ReplantError(
      "REPLANT_CARRY_FAILED",
      `${tableLabel(table.plan.table)} cannot be loaded as a whole, although each row can`,
      {
        cause: error,
      },
    );
  }
  return { table, rows: failed };
}

async function exclude(session: SqlSession, { table, rows }: Failure): Promise<void> {
  await session.query(
    `insert into ${table.excluded} select (r->>'n')::bigint, r->>'kind', r->>'reason', (r->>'r')::int
     from jsonb_array_elements($1::text::jsonb) r on conflict do nothing`,
    [JSON.stringify(rows)],
  );
}

/** Fills materialised views again that held something: they were filled before the kept rows came. In the order of their making. */
export async function refreshViews(session: SqlSession): Promise<void> {
  const views = await session.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'm' and c.relispopulated and n.nspname !~ '^pg_'
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by c.oid`,
  );
  for (const { name } of views) await session.query(`refresh materialized view ${name}`);
}
