import type {
  CarriedTable,
  CarryOutcome,
  CarryPlan,
  Column,
  QuarantinedRow,
  RepointedReference,
  SqlSession,
} from "@replant/core";
import { tableLabel } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import { keyLabelSql } from "../selection.ts";
import { feedingSequences } from "./load.ts";
import type { ReferenceMaps } from "./references.ts";
import { countRepointed } from "./references.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";

/** At most this many quarantined rows are listed by name; counts are complete. */
const listedRowsMax = 1000;

// Types whose equality means equal text; all others are compared as text (1.0 and 1.00 are equal numbers, not equal values).
const exactEquality =
  /^(uuid|smallint|integer|bigint|boolean|text|character varying|bytea|date|timestamp with(out)? time zone|time without time zone)$/;

/** What became of every row, read from the candidate after the load was committed. */
export async function readBack(
  session: SqlSession,
  { staging, maps, merged }: { staging: Staging; maps: ReferenceMaps; merged: ReadonlyMap<StagedTable, number> },
): Promise<CarryOutcome> {
  const tables: CarriedTable[] = [];
  const repointed: RepointedReference[] = [];
  const quarantined: QuarantinedRow[] = [];
  for (const table of staging.tables) {
    const [counts] = await session.query<{ dropped: string; quarantined: string }>(
      `select count(*) filter (where kind = 'dropped')::text as dropped,
         count(*) filter (where kind = 'quarantined')::text as quarantined from ${table.excluded}`,
    );
    tables.push({
      table: nameOf(table),
      inBackup: table.plan.rows,
      carried: await countCarried(session, table),
      replacedSeeded: merged.get(table) ?? 0,
      dropped: Number(counts?.dropped ?? 0),
      quarantined: Number(counts?.quarantined ?? 0),
    });
    for (const reference of table.plan.references) {
      const rows = await countRepointed(session, table, { reference, maps });
      if (rows > 0) repointed.push({ table: nameOf(table), constraint: reference.constraint, rows });
    }
    if (quarantined.length < listedRowsMax) quarantined.push(...(await listQuarantined(session, table)));
  }
  return { tables, repointed, quarantined: quarantined.slice(0, listedRowsMax) };
}

function nameOf({ plan }: StagedTable): { schema: string; name: string } {
  return { schema: plan.table.schema, name: plan.table.name };
}

function equalSql(column: Column, index: number): string {
  const found = `t.${quoteIdent(column.name)}`;
  return exactEquality.test(column.baseType)
    ? `${found} is not distinct from r.f${index}`
    : `${found}::text is not distinct from (r.f${index}::${column.type})::text`;
}

/** Rows that stand in the new database exactly as they were meant to. */
async function countCarried(session: SqlSession, table: StagedTable): Promise<number> {
  const written = writtenColumns(table.plan);
  const target = quoteTable(table.plan.table);
  const { identity } = table.plan;
  if (identity === null) {
    const names = written.map(({ column }) => `t.${quoteIdent(column.target.name)}::text`).join(", ");
    const values = written.map(({ column, index }) => `(r.f${index}::${column.target.type})::text`).join(", ");
    const [row] = await session.query<{ rows: string }>(
      `select count(*)::text as rows from (select ${values} from ${table.resolved} r intersect all select ${names} from ${target} t) q`,
    );
    return Number(row?.rows ?? 0);
  }
  const join = identity.map((name) => `t.${quoteIdent(name)} = r.f${columnIndex(table.plan, name)}`).join(" and ");
  const equal = written.map(({ column, index }) => equalSql(column.target, index)).join(" and ");
  const [row] = await session.query<{ rows: string }>(
    `select count(*)::text as rows from ${table.resolved} r join ${target} t on ${join} where ${equal}`,
  );
  return Number(row?.rows ?? 0);
}

async function listQuarantined(session: SqlSession, table: StagedTable): Promise<QuarantinedRow[]> {
  const { identity } = table.plan;
  const label =
    identity === null ? "'row ' || s.n" : keyLabelSql(identity, (name) => `s.c${columnIndex(table.plan, name)}`);
  const rows = await session.query<{ row: string; reason: string }>(
    `select ${label} as row, x.reason from ${table.excluded} x join ${table.rows} s on s.n = x.n
     where x.kind = 'quarantined' order by x.n limit ${listedRowsMax}`,
  );
  return rows.map(({ row, reason }) => ({ table: nameOf(table), row, reason }));
}

/** Everything that must hold of a candidate before it may become live; one line per finding. */
export async function findFaults(
  session: SqlSession,
  { plan, outcome, staging }: { plan: CarryPlan; outcome: CarryOutcome; staging: Staging },
): Promise<string[]> {
  const findings: string[] = [];
  for (const table of outcome.tables) {
    const known = table.carried + table.dropped + table.quarantined;
    if (known !== table.inBackup) {
      findings.push(
        `${tableLabel(table.table)}: ${table.inBackup} rows in the backup, but ${table.carried} read back unchanged, ${table.dropped} dropped by rule, ${table.quarantined} quarantined`,
      );
    }
  }
  for (const table of plan.tables) {
    if (!outcome.tables.some((other) => tableLabel(other.table) === tableLabel(table.table))) {
      findings.push(`${tableLabel(table.table)}: nothing is known of its ${table.rows} rows`);
    }
  }
  const unchecked = await session.query<{ name: string }>(
    `select format('%s on %s', conname, conrelid::regclass) as name from pg_constraint where contype in ('f', 'c') and not convalidated`,
  );
  findings.push(...unchecked.map(({ name }) => `constraint ${name} is not validated`));
  for (const { sequence, schema, table, column } of await feedingSequences(session, staging)) {
    const [row] = await session.query<{ behind: boolean }>(
      `select m.top >= coalesce((select nextval_at from (select case when is_called then last_value + 1 else last_value end as nextval_at
         from ${sequence}) s), 1) as behind from (select max(${quoteIdent(column)})::bigint as top from ${quoteTable({ schema, name: table })}) m
       where m.top is not null`,
    );
    if (row?.behind === true)
      findings.push(`sequence ${sequence} is behind ${quoteLiteral(`${table}.${column}`).trim()}`);
  }
  return findings;
}
