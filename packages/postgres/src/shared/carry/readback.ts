import type {
  CarriedTable,
  CarryColumn,
  CarryOutcome,
  CarryPlan,
  CarryTable,
  Column,
  MissingReference,
  QuarantinedRow,
  RepointedReference,
  SqlSession,
} from "@replant/core";
import { tableLabel } from "@replant/core";
import { ownRows, quoteIdent } from "../quote.ts";
import { missingReferences, repointedReferences } from "./readback-references.ts";
import type { ReferenceMaps } from "./references.ts";
import { sequencesBehind } from "./sequences.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";
import { listedQuarantinedMax, listRows, rowLabelSql } from "./row-labels.ts";

// Types whose equality means equal text; all others are compared as text (1.0 and 1.00 are equal numbers, not equal values).
const exactEquality =
  /^(uuid|smallint|integer|bigint|boolean|text|character varying|bytea|date|timestamp with(out)? time zone|time without time zone)$/;

/** What became of every row, read from the candidate after the load was committed. */
export async function readBack(
  session: SqlSession,
  {
    plan,
    staging,
    maps,
    merged,
  }: { plan: CarryPlan; staging: Staging; maps: ReferenceMaps; merged: ReadonlyMap<StagedTable, number> },
): Promise<CarryOutcome> {
  const tables: CarriedTable[] = plan.tables
    .filter((table) => table.rows === 0)
    .map((table) => ({
      table: nameOf(table),
      inBackup: 0,
      carried: 0,
      replacedSeeded: 0,
      merged: [],
      dropped: 0,
      quarantined: 0,
    }));
  const repointed: RepointedReference[] = [];
  const missing: MissingReference[] = [];
  const quarantined: QuarantinedRow[] = [];
  for (const table of staging.tables) {
    const counts = await countRows(session, table);
    const replacedSeeded = merged.get(table) ?? 0;
    tables.push({
      table: nameOf(table.plan),
      inBackup: table.plan.rows,
      replacedSeeded,
      merged: replacedSeeded === 0 ? [] : await listRows(session, table, table.merged),
      ...counts,
    });
    repointed.push(...(await repointedReferences(session, table, maps)));
    missing.push(...(await missingReferences(session, table)));
    if (counts.quarantined > 0 && quarantined.length < listedQuarantinedMax) {
      quarantined.push(...(await listQuarantined(session, table)));
    }
  }
  const order = plan.tables.map((table) => tableLabel(table.table));
  tables.sort((a, b) => order.indexOf(tableLabel(a.table)) - order.indexOf(tableLabel(b.table)));
  return { tables, repointed, missing, quarantined: quarantined.slice(0, listedQuarantinedMax) };
}

/** All counts of one table in one query. */
async function countRows(
  session: SqlSession,
  table: StagedTable,
): Promise<Pick<CarriedTable, "carried" | "dropped" | "quarantined">> {
  const ofKind = (kind: string): string => `(select count(*) from ${table.excluded} where kind = '${kind}')`;
  const [row] = await session.query<{ counts: string[] }>(
    `select array[${[carriedSql(table), ofKind("dropped"), ofKind("quarantined")].join(", ")}]::text[] as counts`,
  );
  const [carried = 0, dropped = 0, quarantined = 0] = (row?.counts ?? []).map(Number);
  return { carried, dropped, quarantined };
}

function nameOf({ table }: CarryTable): { schema: string; name: string } {
  return { schema: table.schema, name: table.name };
}

function equalSql(column: Column, index: number): string {
  const found = `t.${quoteIdent(column.name)}`;
  return exactEquality.test(column.baseType)
    ? `${found} is not distinct from r.f${index}`
    : `${found}::text is not distinct from (r.f${index}::${column.type})::text`;
}

/** Rows that stand in the new database exactly as they were meant to. */
function carriedSql(table: StagedTable): string {
  const written = writtenColumns(table.plan);
  const target = ownRows(table.plan.table);
  const { identity } = table.plan;
  if (identity === null) {
    // The text of a large value may be larger than a server can hold, so only types without an equality of their own become text.
    const text = ({ target }: CarryColumn): string => (exactEquality.test(target.baseType) ? "" : "::text");
    const names = written.map(({ column }) => `t.${quoteIdent(column.target.name)}${text(column)}`).join(", ");
    const values = written.map(({ column, index }) => `(r.f${index}::${column.target.type})${text(column)}`).join(", ");
    return `(select count(*) from (select ${values} from ${table.resolved} r intersect all select ${names} from ${target} t) q)`;
  }
  const join = identity.map((name) => `t.${quoteIdent(name)} = r.f${columnIndex(table.plan, name)}`).join(" and ");
  const equal = written.map(({ column, index }) => equalSql(column.target, index)).join(" and ");
  return `(select count(*) from ${table.resolved} r join ${target} t on ${join} where ${equal})`;
}

async function listQuarantined(session: SqlSession, table: StagedTable): Promise<QuarantinedRow[]> {
  const rows = await session.query<{ row: string; reason: string }>(
    `select ${rowLabelSql(table)} as row, x.reason from ${table.excluded} x join ${table.raw} s on s.n = x.n
     where x.kind = 'quarantined' order by x.n limit ${listedQuarantinedMax}`,
  );
  return rows.map(({ row, reason }) => ({ table: nameOf(table.plan), row, reason }));
}

/** Foreign keys and checks that were never held against the rows. A project's own migrations may leave some. */
export async function unvalidatedConstraints(session: SqlSession): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `select format('%s on %s', conname, conrelid::regclass) as name from pg_constraint where contype in ('f', 'c') and not convalidated`,
  );
  return rows.map(({ name }) => name);
}

/** Everything that must hold of a candidate before it may become live; one line per finding. */
export async function findFaults(
  session: SqlSession,
  { plan, outcome, unvalidated }: { plan: CarryPlan; outcome: CarryOutcome; unvalidated: readonly string[] },
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
  for (const name of await unvalidatedConstraints(session)) {
    if (!unvalidated.includes(name)) findings.push(`constraint ${name} is not validated`);
  }
  return [...findings, ...(await sequencesBehind(session, plan))];
}
