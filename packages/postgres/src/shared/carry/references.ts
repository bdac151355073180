import type { CarryReference, Catalog, SqlSession, TableName } from "@replant/core";
import { findTable, sameTable, tableLabel } from "@replant/core";
import { ownRows, quoteIdent, quoteLiteral } from "../quote.ts";
import { keyLabelSql } from "../selection.ts";
import { occurrencesName, referenceValues } from "./occurrences.ts";
import type { StagedContext, StagedTable, Staging } from "./staging.ts";
import { columnIndex } from "./staging.ts";

/**
 * Old values of a table's referenced columns and what they are in the new database: `o0…`, `w0…` in the types of the columns, because
 * equal keys need not have equal texts. `kept`: the row itself is kept, and only counts while it is. `key`: what joined the two.
 */
export interface ReferenceMap {
  readonly target: TableName;
  readonly columns: readonly string[];
  readonly name: string;
  /** The target's own rows, as SQL. */
  readonly rows: string;
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
    if (findMap(maps, target, columns) !== null) return;
    const rows = ownRows(findTable(catalog, target) ?? target);
    maps.push({ target, columns, name: `replant_m${maps.length}`, rows });
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
      `create temp table ${map.name} (${columns.join(", ")}, kept boolean not null default false, key text, primary key (${key}))`,
    );
  }
  // Context comes in the order in which keys can be translated: what a key goes through is mapped already.
  for (const context of staging.context) {
    for (const map of maps.filter((candidate) => sameTable(candidate.target, context.plan.table))) {
      await session.script(fillFromContext(context, map, { maps, staging }));
    }
  }
  await session.script(maps.map((map) => `analyze ${map.name}`).join("; "));
  return maps;
}

function fillFromContext(
  context: StagedContext,
  map: ReferenceMap,
  { maps, staging }: { maps: ReferenceMaps; staging: Staging },
): string {
  const { naturalKey, sourceColumns } = context.plan;
  const staged = (name: string): string => `k.c${sourceColumns.indexOf(name)}`;
  const joins: string[] = [];
  const labels: string[] = [];
  const conditions = naturalKey.map(({ name, nullable, via: reference }, i) => {
    let value = staged(name);
    let label = keyLabelSql([name], staged);
    const via = reference === null ? null : findMap(maps, reference.target, [reference.targetColumn]);
    if (via !== null) {
      joins.push(`left join ${via.name} v${i} on v${i}.o0 = ${value}`);
      label = `coalesce(${quoteLiteral(`${name}(`)} || v${i}.key || ')', ${label})`;
      // A row that only its meaning can bring over does not mean the row that has its old number now.
      const others = staging.context.find(({ plan }) => sameTable(plan.table, via.target));
      const at = others?.plan.sourceColumns.indexOf(via.columns[0] ?? "") ?? -1;
      const own =
        at < 0 ? value : `case when ${value} in (select x.c${at} from ${others?.rows} x) then null else ${value} end`;
      value = `coalesce(v${i}.w0, ${own})`;
    }
    labels.push(label);
    // Arrays are equal where NULLs are, and can be hashed.
    return nullable ? `array[t.${quoteIdent(name)}] = array[${value}]` : `t.${quoteIdent(name)} = ${value}`;
  });
  const old = map.columns.map(staged);
  const now = map.columns.map((name) => `t.${quoteIdent(name)}`);
  const columns = [...old.map((_, i) => `o${i}`), ...now.map((_, i) => `w${i}`), "key"];
  return `insert into ${map.name} (${columns.join(", ")}) select ${[...old, ...now, labels.join(` || ', ' || `)].join(", ")}
    from ${context.rows} k ${joins.join(" ")} join ${map.rows} t on ${conditions.join(" and ")}
    where ${old.map((value) => `${value} is not null`).join(" and ")} on conflict do nothing`;
}

interface ReferenceScope {
  readonly table: StagedTable;
  readonly reference: CarryReference;
  readonly index: number;
  readonly staging: Staging;
  readonly maps: ReferenceMaps;
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
  const { from, values } = referenceValues(table, reference);
  const settles = reference.onMissing === "null" || reference.seed !== null;
  const where = [
    ...values.map((value) => `${value} is not null`),
    `not exists (select from ${table.excluded} x where x.n = s.n)`,
    reference.place === null
      ? `not exists (select from ${table.nulled} z where z.n = s.n and z.r = ${index})`
      : "not s.gone",
    // A NULL among the targets would make the answer unknown, and the row would slip through.
    `not (${targetExists(scope)
      .map((found) => `coalesce(${found}, false)`)
      .join(" or ")})`,
  ].join(" and ");
  if (settles && reference.place !== null) return `update ${from} set gone = true where ${where} returning 1`;
  if (settles) {
    return `insert into ${table.nulled} select s.n, ${index} from ${from} where ${where} on conflict do nothing returning 1`;
  }
  const kind = reference.onMissing === "drop-row" ? "dropped" : "quarantined";
  return `insert into ${table.excluded} select s.n, '${kind}', ${missingReason(scope)}, ${index}
    from ${from} where ${where} on conflict do nothing returning 1`;
}

/** SQL conditions, one of which holds when the row that is meant will be in the new database. */
function targetExists({ table, reference, staging, maps }: ReferenceScope): string[] {
  const { values, cast } = referenceValues(table, reference);
  const found: string[] = [];
  const given = `(${values.join(", ")})`;
  const kept = staging.tables.find((candidate) => sameTable(candidate.plan.table, reference.target));
  const carried = kept !== undefined && reference.targetColumns.every((name) => columnIndex(kept.plan, name) >= 0);
  if (kept !== undefined && carried) {
    const targets = reference.targetColumns.map((name) => `p.c${columnIndex(kept.plan, name)}${cast}`);
    found.push(`${given} in (select ${targets.join(", ")} from ${kept.rows} p
      where not exists (select from ${kept.excluded} px where px.n = p.n))`);
  }
  const map = findMap(maps, reference.target, reference.targetColumns);
  if (map === null) return found;
  found.push(
    `${given} in (select ${map.columns.map((_, i) => `m.o${i}${cast}`).join(", ")} from ${map.name} m where not m.kept)`,
  );
  if (reference.by === "same-id" || (kept !== undefined && !carried)) {
    const targets = reference.targetColumns.map((name) => `t.${quoteIdent(name)}${cast}`);
    found.push(`${given} in (select ${targets.join(", ")} from ${map.rows} t)`);
  }
  return found;
}

/** A select of `n`, `kind`, `reason`, `r` for loaded rows whose reference points at no row of the new database. */
export function danglingSql(table: StagedTable, reference: CarryReference, maps: ReferenceMaps): string {
  const map = findMap(maps, reference.target, reference.targetColumns);
  const kind = reference.onMissing === "drop-row" ? "dropped" : "quarantined";
  const reason = `${nameOf(reference)}: another row took the place of the row of ${tableLabel(reference.target)} that it means`;
  const select = `select r.n, '${kind}' as kind, ${quoteLiteral(reason)} as reason, ${table.plan.references.indexOf(reference)} as r from ${table.resolved} r`;
  if (reference.place !== null) {
    return `${select} join ${occurrencesName(table, reference)} v on v.n = r.n left join ${map?.name} m on m.o0::text = v.o0
      where not v.gone and not exists (select from ${map?.rows} t
        where t.${quoteIdent(reference.targetColumns[0] ?? "")}::text = coalesce(m.w0::text, v.o0))`;
  }
  const values = reference.columns.map((name) => `r.f${columnIndex(table.plan, name)}`);
  const match = reference.targetColumns.map((name, i) => `t.${quoteIdent(name)} = ${values[i]}`).join(" and ");
  return `${select} where ${values.map((value) => `${value} is not null`).join(" and ")}
      and not exists (select from ${map?.rows} t where ${match})`;
}

/** What a reference is called in a reason: its columns, or its path. */
function nameOf({ columns, place }: CarryReference): string {
  return place === null ? columns.join(", ") : [...columns, ...place.path].join(".");
}

/** Names the missing row by its natural key where the backup knows it, by its value otherwise. */
function missingReason({ table, reference, staging }: ReferenceScope): string {
  const { values, cast } = referenceValues(table, reference);
  const name = nameOf(reference);
  const label = tableLabel(reference.target);
  const plain = `${quoteLiteral(`${name}: the new database has no row of ${label} with ${reference.targetColumns.join(", ")} = `)} || ${values.join(` || ', ' || `)}`;
  const context = staging.context.find((candidate) => sameTable(candidate.plan.table, reference.target));
  if (context === undefined) return plain;
  const staged = (column: string): string => `k.c${context.plan.sourceColumns.indexOf(column)}`;
  const key = keyLabelSql(
    context.plan.naturalKey.map((part) => part.name),
    staged,
  );
  const match = reference.targetColumns.map((column, i) => `${staged(column)}${cast} = ${values[i]}`).join(" and ");
  return `coalesce((select ${quoteLiteral(`${name}: the new database has no row of ${label} with `)} || ${key}
    from ${context.rows} k where ${match} limit 1), ${plain})`;
}
