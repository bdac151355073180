import type { Catalog, ForeignKey, SqlSession, Table } from "@replant/core";
import { sameTable, tableLabel } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import type { ReferenceMaps } from "./references.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";

/** A row that will not be loaded. */
export interface Exclusion extends Record<string, unknown> {
  readonly n: string;
  readonly kind: "quarantined" | "dropped";
  readonly reason: string;
}

/** Pairs of a row to load and an existing row that share a unique key. */
function collisionsSql(table: StagedTable): string | null {
  const parts = table.plan.uniqueKeys.map((key) => {
    const equal = key.map((name) => `t.${quoteIdent(name)} = r.f${columnIndex(table.plan, name)}`);
    return `select r.n, t.ctid as place, t.tableoid as part from ${table.resolved} r join ${quoteTable(table.plan.table)} t on ${equal.join(" and ")}`;
  });
  return parts.length === 0 ? null : parts.join(" union ");
}

/** A select of `n`, `kind`, `reason` for the rows whose collisions do not end in a merge; null where nothing can collide. */
function conflictsSql(table: StagedTable): string | null {
  const collisions = collisionsSql(table);
  if (collisions === null) return null;
  const label = tableLabel(table.plan.table);
  const keyNames = table.plan.uniqueKeys.map((key) => `(${key.join(", ")})`).join(", ");
  const rows = (kind: string, reason: string, from: string): string =>
    `select c.n, '${kind}' as kind, ${quoteLiteral(reason)} as reason from ${from} c`;
  if (table.plan.onConflict === "error") {
    const reason = `a row of the seeds has the same key of ${label}, one of ${keyNames}`;
    return `select distinct q.* from (${rows("quarantined", reason, `(${collisions})`)}) q`;
  }
  const parts = [
    rows("quarantined", `two different rows of the seeds have its keys of ${label}, among ${keyNames}`, "ambiguous"),
    rows("quarantined", `another kept row of ${label} takes the place of the same row of the seeds`, "contested"),
    ...(table.plan.onConflict === "seed" ? [rows("dropped", "the row of the seeds wins by rule", "settled")] : []),
  ];
  return `with collisions as materialized (${collisions}),
    ambiguous as (select n from collisions group by n having count(*) > 1),
    single as (select * from collisions where n not in (select n from ambiguous)),
    contested as (select unnest(array_agg(n)) as n from single group by place, part having count(*) > 1),
    settled as (select n from single where n not in (select n from contested))
    ${parts.join(" union all ")}`;
}

/**
 * Decides collisions that do not end in a merge: a row that collides with two existing ones, or two rows with one, are
 * quarantined; the rules `error` and `seed` exclude the row, the latter translating references to it.
 */
export async function settleConflicts(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<void> {
  for (const table of staging.tables) {
    const conflicts = conflictsSql(table);
    const collisions = collisionsSql(table);
    if (conflicts === null || collisions === null) continue;
    if (table.plan.onConflict !== "seed") {
      await session.query(`insert into ${table.excluded} ${conflicts}`);
      continue;
    }
    // Who stands in for a row is looked up while the row is still among those to load.
    const settled = `(select c.* from (${collisions}) c join (${conflicts}) x on x.n = c.n and x.kind = 'dropped')`;
    await mapToSeeded(session, { table, collisions: settled, maps });
    await session.query(`insert into ${table.excluded} ${conflicts}`);
  }
}

/** Conflicts that show only when rows of the seeds have been re-pointed at kept ones. Rules hold for them as for the others. */
export async function lateConflicts(session: SqlSession, table: StagedTable): Promise<Exclusion[]> {
  const conflicts = conflictsSql(table);
  return conflicts === null
    ? []
    : session.query<Exclusion>(`select q.n::text as n, q.kind, q.reason from (${conflicts}) q`);
}

/** References to a kept row that gives way mean the seeded row from now on. */
async function mapToSeeded(
  session: SqlSession,
  { table, collisions, maps }: { table: StagedTable; collisions: string; maps: ReferenceMaps },
): Promise<void> {
  for (const map of maps.filter((candidate) => sameTable(candidate.target, table.plan.table))) {
    const indexes = map.columns.map((name) => columnIndex(table.plan, name));
    if (indexes.some((index) => index < 0)) continue;
    const old = indexes.map((index) => `s.c${index}`);
    const now = map.columns.map((name) => `t.${quoteIdent(name)}`);
    const columns = [...old.map((_, i) => `o${i}`), ...now.map((_, i) => `w${i}`)];
    await session.query(`insert into ${map.name} (${columns.join(", ")}) select ${[...old, ...now].join(", ")}
      from ${collisions} c join ${table.rows} s on s.n = c.n join ${quoteTable(table.plan.table)} t on t.ctid = c.place and t.tableoid = c.part
      where ${old.map((value) => `${value} is not null`).join(" and ")}
      on conflict (${old.map((_, i) => `o${i}`).join(", ")}) do update set kept = false, ${now.map((_, i) => `w${i} = excluded.w${i}`).join(", ")}`);
  }
}

/** Finds the rows that take the place of an existing one, right before they do. Returns how many. */
export async function findMerges(session: SqlSession, table: StagedTable): Promise<number> {
  const collisions = collisionsSql(table);
  if (collisions === null) return 0;
  const rows = await session.query<{ n: string }>(
    `with found as (insert into ${table.merged} select n, place, part from (${collisions}) c returning n)
     select count(*)::text as n from found`,
  );
  return Number(rows[0]?.n ?? 0);
}

/** Remembers what other rows use to point at the rows that are about to be replaced. */
export function rememberReplacedSql(table: StagedTable, catalog: Catalog, index: number): string[] {
  return referencing(table, catalog).map(({ key }, i) => {
    const old = key.targetColumns.map((name, j) => `t.${quoteIdent(name)} as o${j}`);
    return `create temp table replant_p${index}_${i} as select g.n, ${old.join(", ")}
      from ${table.merged} g join ${quoteTable(table.plan.table)} t on t.ctid = g.place and t.tableoid = g.part`;
  });
}

/** Points rows of the migrations and seeds at the kept row that replaced theirs. */
export function repointSeededSql(table: StagedTable, catalog: Catalog, index: number): string[] {
  return referencing(table, catalog).flatMap(({ owner, key }, i) => {
    const now = key.targetColumns.map((name) => `r.f${columnIndex(table.plan, name)}`);
    const set = key.columns.map((name, j) => `${quoteIdent(name)} = ${now[j]}`);
    const match = key.columns.map((name, j) => `c.${quoteIdent(name)} = p.o${j}`);
    const differs = key.columns.map((_, j) => `p.o${j} is distinct from ${now[j]}`);
    return [
      `update ${quoteTable(owner)} c set ${set.join(", ")} from replant_p${index}_${i} p join ${table.resolved} r on r.n = p.n
        where ${match.join(" and ")} and (${differs.join(" or ")})`,
      `drop table replant_p${index}_${i}`,
    ];
  });
}

function referencing(table: StagedTable, catalog: Catalog): { readonly owner: Table; readonly key: ForeignKey }[] {
  return catalog.tables.flatMap((owner) =>
    owner.foreignKeys
      .filter((key) => sameTable(key.target, table.plan.table))
      .filter((key) => key.targetColumns.every((name) => columnIndex(table.plan, name) >= 0))
      .map((key) => ({ owner, key })),
  );
}

/** Writes kept values over the existing row, in place, so that nothing that points at it cascades. */
export function mergeSql(table: StagedTable, condition: string): string {
  const set = writtenColumns(table.plan).map(({ column, index }) => `${quoteIdent(column.target.name)} = r.f${index}`);
  return `update ${quoteTable(table.plan.table)} t set ${set.join(", ")}
    from ${table.merged} g join ${table.resolved} r on r.n = g.n where t.ctid = g.place and t.tableoid = g.part and ${condition}`;
}
