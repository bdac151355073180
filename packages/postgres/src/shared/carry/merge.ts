import type { Catalog, ForeignKey, SqlSession, Table } from "@replant/core";
import { sameTable, tableLabel } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import type { ReferenceMaps } from "./references.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";

/** Pairs of a row to load and an existing row that share a unique key. */
function collisionsSql(table: StagedTable): string | null {
  const parts = table.plan.uniqueKeys.map((key) => {
    const equal = key.map((name) => `t.${quoteIdent(name)} = r.f${columnIndex(table.plan, name)}`);
    return `select r.n, t.ctid as place, t.tableoid as part from ${table.resolved} r join ${quoteTable(table.plan.table)} t on ${equal.join(" and ")}`;
  });
  return parts.length === 0 ? null : parts.join(" union ");
}

/**
 * Decides collisions that do not end in a merge: a row that collides with two existing ones, or two rows with one, are
 * quarantined; the rules `error` and `seed` exclude the row, the latter translating references to it.
 */
export async function settleConflicts(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<void> {
  for (const table of staging.tables) {
    const collisions = collisionsSql(table);
    if (collisions === null) continue;
    const label = tableLabel(table.plan.table);
    const keyNames = table.plan.uniqueKeys.map((key) => `(${key.join(", ")})`).join(", ");
    const exclude = async (kind: string, reason: string, from: string): Promise<void> => {
      await session.query(
        `insert into ${table.excluded} select distinct c.n, '${kind}', ${quoteLiteral(reason)} from ${from} on conflict do nothing`,
      );
    };
    if (table.plan.onConflict === "error") {
      await exclude(
        "quarantined",
        `a row of the seeds has the same key of ${label}, one of ${keyNames}`,
        `(${collisions}) c`,
      );
      continue;
    }
    await exclude(
      "quarantined",
      `two different rows of the seeds have its keys of ${label}, among ${keyNames}`,
      `(select n from (${collisions}) q group by n having count(*) > 1) c`,
    );
    await exclude(
      "quarantined",
      `another kept row of ${label} takes the place of the same row of the seeds`,
      `(select unnest(array_agg(n)) as n from (${collisions}) q group by place, part having count(*) > 1) c`,
    );
    if (table.plan.onConflict === "seed") {
      await mapToSeeded(session, { table, collisions, maps });
      await exclude("dropped", "the row of the seeds wins by rule", `(${collisions}) c`);
    }
  }
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
      from (${collisions}) c join ${table.rows} s on s.n = c.n join ${quoteTable(table.plan.table)} t on t.ctid = c.place and t.tableoid = c.part
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
