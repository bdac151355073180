import type { Catalog, ForeignKey, SqlSession, Table } from "@replant/core";
import { sameTable, tableLabel } from "@replant/core";
import { ownRows, quoteIdent, quoteLiteral } from "../quote.ts";
import { keyLabelSql } from "../selection.ts";
import type { ReferenceMaps } from "./references.ts";
import { seededName } from "./resolve.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";

/** A row that will not be loaded. */
export interface Exclusion extends Record<string, unknown> {
  readonly n: string;
  readonly kind: "quarantined" | "dropped";
  readonly reason: string;
  /** Index of the reference that is missing; absent or null for other reasons. */
  readonly r?: number | null;
}

/** Pairs of a row to load and an existing row that share a unique key, `n`, `place`, `part`; `extra` gives more columns of a pair by its key. */
export function collisionsSql(
  table: StagedTable,
  extra: (key: readonly string[], rank: number) => string = () => "",
): string | null {
  const parts = table.plan.uniqueKeys.map((key, rank) => {
    const equal = key.map((name) => `t.${quoteIdent(name)} = r.f${columnIndex(table.plan, name)}`);
    return `select r.n, t.ctid as place, t.tableoid as part, ${freshSql(table)} as fresh${extra(key, rank)} from ${table.resolved} r join ${ownRows(table.plan.table)} t on ${equal.join(" and ")}`;
  });
  return parts.length === 0 ? null : parts.join(" union ");
}

/** SQL condition over an existing row `t`: it came after the mark of a retry, so that it gives way to nothing. */
function freshSql({ since }: StagedTable): string {
  return since === null ? "false" : `age(t.xmin) <= age(${quoteLiteral(since)}::xid)`;
}

/** A select of `n`, `kind`, `reason` for the rows whose collisions do not end in a merge; null where nothing can collide. */
function conflictsSql(table: StagedTable): string | null {
  const value = (name: string): string => `r.f${columnIndex(table.plan, name)}`;
  const keyed = collisionsSql(table, (key) => `, ${keyLabelSql(key, value)} as key`);
  if (keyed === null) return null;
  const label = tableLabel(table.plan.table);
  const keys = "(select string_agg(distinct k.key, ' and ') from keyed k where k.n = c.n)";
  const rows = (kind: string, reason: string, from: string): string =>
    `select c.n, '${kind}' as kind, ${quoteLiteral(reason)} || ${keys} as reason from ${from} c`;
  const found = `with keyed as materialized (${keyed}), collisions as materialized (select distinct n, place, part, fresh from keyed)`;
  if (table.plan.onConflict === "error") {
    const taken = rows("quarantined", `a row of the seeds has the same key of ${label}: `, "collisions");
    return `${found} select distinct q.* from (${taken}) q`;
  }
  const parts = [
    ...(table.since === null ? [] : [rows("quarantined", `live has a row with the same key of ${label}: `, "taken")]),
    ...(table.plan.onConflict === "seed"
      ? [rows("dropped", "the row of the seeds wins by rule: ", "others")]
      : [
          rows("quarantined", `two different rows of the seeds have its keys of ${label}: `, "ambiguous"),
          rows(
            "quarantined",
            `another kept row of ${label} takes the place of the same row of the seeds: `,
            "contested",
          ),
        ]),
  ];
  return `${found},
    taken as (select distinct n from collisions where fresh),
    others as (select distinct n from collisions where n not in (select n from taken)),
    ambiguous as (select n from collisions where n in (select n from others) group by n having count(*) > 1),
    single as (select * from collisions where n in (select n from others) and n not in (select n from ambiguous)),
    contested as (select unnest(array_agg(n)) as n from single group by place, part having count(*) > 1)
    ${parts.join(" union all ")}`;
}

/**
 * Decides collisions that do not end in a merge. By the rule `seed` a row gives way to whatever has one of its keys, and references
 * to it mean that row: the one with its primary key where there are several. By `error` it is quarantined; by `kept` it is so
 * where it collides with two existing rows, or another one with the same, because only one can take a place.
 */
export async function settleConflicts(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<void> {
  for (const table of staging.tables) {
    const conflicts = conflictsSql(table);
    const ranked = collisionsSql(table, (_, rank) => `, ${rank} as rank`);
    if (conflicts === null || ranked === null) continue;
    if (table.plan.onConflict !== "seed") {
      await session.query(`insert into ${table.excluded} ${conflicts}`);
      continue;
    }
    // Who stands in for a row is looked up while the row is still among those to load.
    const settled = `(select distinct on (c.n) c.n, c.place, c.part from (${ranked}) c
      join (${conflicts}) x on x.n = c.n and x.kind = 'dropped' order by c.n, c.rank)`;
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

/** References to a kept row that gives way mean the row in its place from now on. */
export async function mapToSeeded(
  session: SqlSession,
  { table, collisions, maps }: { table: StagedTable; collisions: string; maps: ReferenceMaps },
): Promise<void> {
  for (const map of maps.filter((candidate) => sameTable(candidate.target, table.plan.table))) {
    const indexes = map.columns.map((name) => columnIndex(table.plan, name));
    if (indexes.some((index) => index < 0)) continue;
    const old = indexes.map((index) => `s.c${index}`);
    const now = map.columns.map((name) => `t.${quoteIdent(name)}`);
    const columns = [...old.map((_, i) => `o${i}`), ...now.map((_, i) => `w${i}`), "key"];
    const label = keyLabelSql(joinedBy(table, map.columns), (name) => `t.${quoteIdent(name)}`);
    await session.query(`insert into ${map.name} (${columns.join(", ")}) select ${[...old, ...now, label].join(", ")}
      from ${collisions} c join ${table.rows} s on s.n = c.n join ${ownRows(table.plan.table)} t on t.ctid = c.place and t.tableoid = c.part
      where ${old.map((value) => `${value} is not null`).join(" and ")}
      on conflict (${old.map((_, i) => `o${i}`).join(", ")}) do update set kept = false, key = excluded.key, ${now.map((_, i) => `w${i} = excluded.w${i}`).join(", ")}`);
  }
}

/** The unique key that most likely joined a row with the seeded one: another than the columns that rows are pointed at by. */
function joinedBy({ plan }: StagedTable, columns: readonly string[]): readonly string[] {
  return plan.uniqueKeys.find((key) => key.join("\0") !== columns.join("\0")) ?? columns;
}

/** Finds the rows that take the place of an existing one, right before they do, and what of it stays. Returns how many. */
export async function findMerges(session: SqlSession, table: StagedTable): Promise<number> {
  const collisions = collisionsSql(table);
  if (collisions === null) return 0;
  const rows = await session.query<{ n: string }>(
    `with found as (insert into ${table.merged} select n, place, part from (${collisions}) c returning n)
     select count(*)::text as n from found`,
  );
  const stays = writtenColumns(table.plan).filter(({ column }) => table.plan.seedColumns.includes(column.target.name));
  if (stays.length > 0) {
    await session.query(`insert into ${seededName(table)} (n, ${stays.map(({ index }) => `v${index}`).join(", ")})
      select g.n, ${stays.map(({ column }) => `t.${quoteIdent(column.target.name)}`).join(", ")}
      from ${table.merged} g join ${ownRows(table.plan.table)} t on t.ctid = g.place and t.tableoid = g.part`);
  }
  return Number(rows[0]?.n ?? 0);
}

/** Remembers what other rows use to point at the rows that are about to be replaced. */
export function rememberReplacedSql(table: StagedTable, catalog: Catalog, index: number): string[] {
  return referencing(table, catalog).map(({ key }, i) => {
    const old = key.targetColumns.map((name, j) => `t.${quoteIdent(name)} as o${j}`);
    return `create temp table replant_p${index}_${i} as select g.n, ${old.join(", ")}
      from ${table.merged} g join ${ownRows(table.plan.table)} t on t.ctid = g.place and t.tableoid = g.part`;
  });
}

/** Points rows of the migrations and seeds at the kept row that replaced theirs, and so the values that kept rows have of them. */
export function repointSeededSql(
  table: StagedTable,
  { staging, catalog, index }: { staging: Staging; catalog: Catalog; index: number },
): string[] {
  return referencing(table, catalog).flatMap(({ owner, key }, i) => {
    const now = key.targetColumns.map((name) => `r.f${columnIndex(table.plan, name)}`);
    const differs = key.columns.map((_, j) => `p.o${j} is distinct from ${now[j]}`);
    const repoint = (rows: string, columns: readonly string[]): string =>
      `update ${rows} c set ${columns.map((name, j) => `${name} = ${now[j]}`).join(", ")}
        from replant_p${index}_${i} p join ${table.resolved} r on r.n = p.n
        where ${columns.map((name, j) => `c.${name} = p.o${j}`).join(" and ")} and (${differs.join(" or ")})`;
    const staged = staging.tables.find(({ plan }) => sameTable(plan.table, owner));
    const stays = staged !== undefined && key.columns.every((name) => staged.plan.seedColumns.includes(name));
    return [
      repoint(ownRows(owner), key.columns.map(quoteIdent)),
      ...(stays
        ? [
            repoint(
              seededName(staged),
              key.columns.map((name) => `v${columnIndex(staged.plan, name)}`),
            ),
          ]
        : []),
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
  return `update ${ownRows(table.plan.table)} t set ${set.join(", ")}
    from ${table.merged} g join ${table.resolved} r on r.n = g.n where t.ctid = g.place and t.tableoid = g.part and ${condition}`;
}
