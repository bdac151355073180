import type { CarryReference, Catalog, SqlSession, TableName } from "@replant/core";
import { findTable, sameTable, tableLabel } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import { keyLabelSql } from "../selection.ts";
import type { StagedContext, StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";

/**
 * Old values of a table's referenced columns and what they are in the new database: `o0…`, `w0…` in the types of the columns, because
 * equal keys need not have equal texts. `kept`: the row itself is kept, and only counts while it is.
 */
export interface ReferenceMap {
  readonly target: TableName;
  readonly columns: readonly string[];
  readonly name: string;
}

export type ReferenceMaps = readonly ReferenceMap[];

export function findMap(maps: ReferenceMaps, target: TableName, columns: readonly string[]): ReferenceMap | null {
  return maps.find((map) => sameTable(map.target, target) && map.columns.join("\0") === columns.join("\0")) ?? null;
}

/**
 * Makes a map for every referenced column set, filled from the context rows through their natural keys. Maps of tables without
 * context start empty; a row of the seeds that wins over a kept row is added by the merge.
 */
export async function buildMaps(session: SqlSession, staging: Staging, catalog: Catalog): Promise<ReferenceMaps> {
  const maps: ReferenceMap[] = [];
  const need = (target: TableName, columns: readonly string[]): void => {
    if (findMap(maps, target, columns) === null) maps.push({ target, columns, name: `replant_m${maps.length}` });
  };
  for (const context of staging.context) {
    for (const { via } of context.plan.naturalKey) if (via !== null) need(via.target, [via.targetColumn]);
  }
  for (const table of staging.tables) for (const r of table.plan.references) need(r.target, r.targetColumns);
  for (const map of maps) {
    const target = findTable(catalog, map.target);
    const columns = map.columns.flatMap((name, i) => {
      const type = target?.columns.find((column) => column.name === name)?.type ?? "text";
      return [`o${i} ${type} not null`, `w${i} ${type}`];
    });
    const key = map.columns.map((_, i) => `o${i}`).join(", ");
    await session.script(
      `create temp table ${map.name} (${columns.join(", ")}, kept boolean not null default false, primary key (${key}))`,
    );
  }
  // Context comes in the order in which keys can be translated: what a key goes through is mapped already.
  for (const context of staging.context) {
    for (const map of maps.filter((candidate) => sameTable(candidate.target, context.plan.table))) {
      await session.script(fillFromContext(context, map, maps));
    }
  }
  await session.script(maps.map((map) => `analyze ${map.name}`).join("; "));
  return maps;
}

function fillFromContext(context: StagedContext, map: ReferenceMap, maps: ReferenceMaps): string {
  const { table, naturalKey, sourceColumns } = context.plan;
  const staged = (name: string): string => `k.c${sourceColumns.indexOf(name)}`;
  const joins: string[] = [];
  const conditions = naturalKey.map((part, i) => {
    let value = staged(part.name);
    const via = part.via === null ? null : findMap(maps, part.via.target, [part.via.targetColumn]);
    if (via !== null) {
      joins.push(`left join ${via.name} v${i} on v${i}.o0 = ${value}`);
      value = `coalesce(v${i}.w0, ${value})`;
    }
    return `t.${quoteIdent(part.name)} = ${value}`;
  });
  const old = map.columns.map(staged);
  const now = map.columns.map((name) => `t.${quoteIdent(name)}`);
  const columns = [...old.map((_, i) => `o${i}`), ...now.map((_, i) => `w${i}`)];
  return `insert into ${map.name} (${columns.join(", ")}) select ${[...old, ...now].join(", ")}
    from ${context.rows} k ${joins.join(" ")} join ${quoteTable(table)} t on ${conditions.join(" and ")}
    where ${old.map((value) => `${value} is not null`).join(" and ")} on conflict do nothing`;
}

interface ReferenceScope {
  readonly table: StagedTable;
  readonly reference: CarryReference;
  readonly index: number;
  readonly staging: Staging;
  readonly maps: ReferenceMaps;
}

/** Staged values of a reference's columns. */
function referenceValues(table: StagedTable, reference: CarryReference, alias: string): string[] {
  return reference.columns.map((name) => `${alias}.c${columnIndex(table.plan, name)}`);
}

/**
 * Applies each reference's rule to the rows whose target will not be there, until nothing changes: a row that goes takes those
 * with it that point at it.
 */
export async function resolveMissing(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<void> {
  const settle = staging.tables.flatMap((table) =>
    table.plan.references.map((reference, index) => missingSql({ table, reference, index, staging, maps })),
  );
  if (settle.length === 0) return;
  // All references in one statement: they see the same state, and what one of them excludes the next round follows.
  const parts = settle.map((sql, n) => `d${n} as (${sql})`).join(", ");
  const sum = settle.map((_, n) => `(select count(*) from d${n})`).join(" + ");
  for (let settled = -1; settled !== 0;) {
    const [row] = await session.query<{ settled: string }>(`with ${parts} select (${sum})::text as settled`);
    settled = Number(row?.settled ?? 0);
  }
}

function missingSql(scope: ReferenceScope): string {
  const { table, reference, index } = scope;
  const values = referenceValues(table, reference, "s");
  const where = [
    ...values.map((value) => `${value} is not null`),
    `not exists (select from ${table.excluded} x where x.n = s.n)`,
    `not exists (select from ${table.nulled} z where z.n = s.n and z.r = ${index})`,
    // A NULL among the targets would make the answer unknown, and the row would slip through.
    `not (${targetExists(scope, values)
      .map((found) => `coalesce(${found}, false)`)
      .join(" or ")})`,
  ].join(" and ");
  if (reference.onMissing === "null") {
    return `insert into ${table.nulled} select s.n, ${index} from ${table.rows} s where ${where} on conflict do nothing returning 1`;
  }
  const kind = reference.onMissing === "drop-row" ? "dropped" : "quarantined";
  return `insert into ${table.excluded} select s.n, '${kind}', ${missingReason(scope, values)}
    from ${table.rows} s where ${where} on conflict do nothing returning 1`;
}

/** SQL conditions, one of which holds when the row that is meant will be in the new database. */
function targetExists({ reference, staging, maps }: ReferenceScope, values: readonly string[]): string[] {
  const found: string[] = [];
  const kept = staging.tables.find((candidate) => sameTable(candidate.plan.table, reference.target));
  const carried = kept !== undefined && reference.targetColumns.every((name) => columnIndex(kept.plan, name) >= 0);
  if (kept !== undefined && carried) {
    const targets = reference.targetColumns.map((name) => `p.c${columnIndex(kept.plan, name)}`);
    found.push(`(${values.join(", ")}) in (select ${targets.join(", ")} from ${kept.rows} p
      where not exists (select from ${kept.excluded} px where px.n = p.n))`);
  }
  const map = findMap(maps, reference.target, reference.targetColumns);
  if (map !== null) {
    found.push(
      `(${values.join(", ")}) in (select ${map.columns.map((_, i) => `m.o${i}`).join(", ")} from ${map.name} m where not m.kept)`,
    );
  }
  if (reference.by === "same-id" || (kept !== undefined && !carried)) {
    const targets = reference.targetColumns.map((name) => `t.${quoteIdent(name)}`);
    found.push(`(${values.join(", ")}) in (select ${targets.join(", ")} from ${quoteTable(reference.target)} t)`);
  }
  return found;
}

/** A select of `n`, `kind`, `reason` for loaded rows whose reference points at no row of the new database. */
export function danglingSql(table: StagedTable, reference: CarryReference): string {
  const values = reference.columns.map((name) => `r.f${columnIndex(table.plan, name)}`);
  const match = reference.targetColumns.map((name, i) => `t.${quoteIdent(name)} = ${values[i]}`).join(" and ");
  const kind = reference.onMissing === "drop-row" ? "dropped" : "quarantined";
  const reason = `${reference.columns.join(", ")}: another row took the place of the row of ${tableLabel(reference.target)} that it means`;
  return `select r.n, '${kind}' as kind, ${quoteLiteral(reason)} as reason from ${table.resolved} r
    where ${values.map((value) => `${value} is not null`).join(" and ")}
      and not exists (select from ${quoteTable(reference.target)} t where ${match})`;
}

/** Names the missing row by its natural key where the backup knows it, by its value otherwise. */
function missingReason({ reference, staging }: ReferenceScope, values: readonly string[]): string {
  const columns = reference.columns.join(", ");
  const label = tableLabel(reference.target);
  const plain = `${quoteLiteral(`${columns}: the new database has no row of ${label} with ${reference.targetColumns.join(", ")} = `)} || ${values.join(` || ', ' || `)}`;
  const context = staging.context.find((candidate) => sameTable(candidate.plan.table, reference.target));
  if (context === undefined) return plain;
  const staged = (name: string): string => `k.c${context.plan.sourceColumns.indexOf(name)}`;
  const key = keyLabelSql(
    context.plan.naturalKey.map((part) => part.name),
    staged,
  );
  const match = reference.targetColumns.map((name, i) => `${staged(name)} = ${values[i]}`).join(" and ");
  return `coalesce((select ${quoteLiteral(`${columns}: the new database has no row of ${label} with `)} || ${key}
    from ${context.rows} k where ${match} limit 1), ${plain})`;
}

/** The view of what will be loaded: every written column with its final value, excluded rows left out. */
function resolvedViewSql(table: StagedTable, maps: ReferenceMaps): string {
  const joins: string[] = [];
  const translated = new Map<number, { readonly news: string[]; readonly nulls: string[] }>();
  for (const [index, reference] of table.plan.references.entries()) {
    const map = findMap(maps, reference.target, reference.targetColumns);
    if (map === null) continue;
    const values = referenceValues(table, reference, "s");
    joins.push(
      `left join ${map.name} m${index} on ${values.map((value, i) => `m${index}.o${i} = ${value}`).join(" and ")}`,
    );
    joins.push(`left join ${table.nulled} z${index} on z${index}.n = s.n and z${index}.r = ${index}`);
    for (const [i, name] of reference.columns.entries()) {
      const at = columnIndex(table.plan, name);
      const found = translated.get(at) ?? { news: [], nulls: [] };
      found.news.push(`m${index}.w${i}`);
      found.nulls.push(`z${index}.n is not null`);
      translated.set(at, found);
    }
  }
  const columns = writtenColumns(table.plan).map(({ index }) => {
    const value = `s.c${index}`;
    const found = translated.get(index);
    // A column that several references share means the same row's value to all of them; whichever knows the new one says it.
    return found === undefined
      ? `${value} as f${index}`
      : `case when ${found.nulls.join(" or ")} then null else coalesce(${[...found.news, value].join(", ")}) end as f${index}`;
  });
  return `create temp view ${table.resolved} as select ${["s.n", ...columns].join(", ")} from ${table.rows} s ${joins.join(" ")}
    where not exists (select from ${table.excluded} x where x.n = s.n)`;
}

/** Makes the views of what will be loaded. Keys of kept rows that are references themselves change, and who points at them follows. */
export async function resolveViews(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<void> {
  for (const table of staging.tables) await session.script(resolvedViewSql(table, maps));
  for (const table of staging.tables) {
    const changing = new Set(table.plan.references.flatMap(({ columns }) => columns));
    for (const map of maps.filter(({ target }) => sameTable(target, table.plan.table))) {
      const at = map.columns.map((name) => columnIndex(table.plan, name));
      if (!map.columns.some((name) => changing.has(name)) || at.includes(-1)) continue;
      const columns = at.flatMap((_, i) => [`o${i}`, `w${i}`]).join(", ");
      const values = at.flatMap((index) => [`s.c${index}`, `r.f${index}`]).join(", ");
      await session.script(`insert into ${map.name} (${columns}, kept) select ${values}, true
        from ${table.rows} s join ${table.resolved} r on r.n = s.n
        where ${at.map((index) => `s.c${index} is not null`).join(" and ")}
          and (${at.map((index) => `s.c${index} is distinct from r.f${index}`).join(" or ")}) on conflict do nothing`);
    }
  }
}

/** Counts the rows whose reference means another id than before, and will be loaded. */
export function repointedSql(table: StagedTable, reference: CarryReference, maps: ReferenceMaps): string {
  const map = findMap(maps, reference.target, reference.targetColumns);
  if (map === null) return "0";
  const values = referenceValues(table, reference, "s");
  const now = map.columns.map((_, i) => `m.w${i}`).join(", ");
  return `(select count(*) from ${table.rows} s
    join ${map.name} m on ${values.map((value, i) => `m.o${i} = ${value}`).join(" and ")}
    where (${now}) is distinct from (${values.join(", ")})
      and not exists (select from ${table.excluded} x where x.n = s.n))`;
}
