import type { CarryReference, MissingReference, RepointedReference, SqlSession } from "@replant/core";
import { occurrencesName, referenceValues } from "./occurrences.ts";
import type { ReferenceMaps } from "./references.ts";
import { findMap } from "./references.ts";
import { listedRowsMax, listRows } from "./row-labels.ts";
import type { StagedTable } from "./staging.ts";

/** The references of loaded rows that mean another id than before. */
export async function repointedReferences(
  session: SqlSession,
  table: StagedTable,
  maps: ReferenceMaps,
): Promise<RepointedReference[]> {
  const all = table.plan.references.map((reference) => ({ reference, changed: changedSql(table, reference, maps) }));
  const counts = await countAll(
    session,
    all.map(({ changed }) => `(select count(distinct q.n) from (${changed}) q)`),
  );
  const found: RepointedReference[] = [];
  for (const [index, { reference, changed }] of all.entries()) {
    const rows = counts[index] ?? 0;
    if (rows === 0) continue;
    const mappings = await session.query<{ from: string; to: string; key: string }>(
      `select distinct q.before as from, q.after as to, q.key from (${changed}) q order by 3, 1 limit ${listedRowsMax}`,
    );
    found.push({ table: nameOf(table), constraint: reference.constraint, rows, mappings });
  }
  return found;
}

/** A select of `n`, `before`, `after`, `key` for each value of a loaded row that changed. */
function changedSql(table: StagedTable, reference: CarryReference, maps: ReferenceMaps): string {
  const map = findMap(maps, reference.target, reference.targetColumns);
  if (map === null) return "select null::bigint as n, '' as before, '' as after, '' as key where false";
  const { from, values, cast } = referenceValues(table, reference);
  const index = table.plan.references.indexOf(reference);
  const now = map.columns.map((_, i) => `m.w${i}${cast}`);
  const text = (parts: readonly string[]): string => parts.map((part) => `${part}::text`).join(` || ', ' || `);
  const settled =
    reference.place === null ? `exists (select from ${table.nulled} z where z.n = s.n and z.r = ${index})` : "s.gone";
  return `select s.n, ${text(values)} as before, ${text(now)} as after, coalesce(m.key, '') as key from ${from}
    join ${map.name} m on ${values.map((value, i) => `m.o${i}${cast} = ${value}`).join(" and ")}
    where (${now.join(", ")}) is distinct from (${values.join(", ")}) and not ${settled}
      and not exists (select from ${table.excluded} x where x.n = s.n)`;
}

/** The references to which a rule for what is missing was applied. */
export async function missingReferences(session: SqlSession, table: StagedTable): Promise<MissingReference[]> {
  const ruled = table.plan.references.flatMap((reference) => {
    const rule: MissingReference["rule"] | "error" =
      typeof reference.onMissing === "string" ? reference.onMissing : "seed";
    return rule === "error" ? [] : [{ reference, rule, rows: settledSql(table, reference) }];
  });
  const counts = await countAll(
    session,
    ruled.map(({ rows }) => `(select count(*) from ${rows} q)`),
  );
  const found: MissingReference[] = [];
  for (const [index, { reference, rule, rows }] of ruled.entries()) {
    const count = counts[index] ?? 0;
    if (count === 0) continue;
    const listed = await listRows(session, table, rows);
    found.push({ table: nameOf(table), constraint: reference.constraint, rule, rows: count, listed });
  }
  return found;
}

/** A subselect of the numbers `n` of the rows to which a reference's rule was applied. */
function settledSql(table: StagedTable, reference: CarryReference): string {
  const index = table.plan.references.indexOf(reference);
  if (reference.onMissing === "drop-row") {
    return `(select x.n from ${table.excluded} x where x.kind = 'dropped' and x.r = ${index})`;
  }
  const loaded = (alias: string): string => `not exists (select from ${table.excluded} x where x.n = ${alias}.n)`;
  return reference.place === null
    ? `(select z.n from ${table.nulled} z where z.r = ${index} and ${loaded("z")})`
    : `(select distinct v.n from ${occurrencesName(table, reference)} v where v.gone and ${loaded("v")})`;
}

async function countAll(session: SqlSession, counts: readonly string[]): Promise<number[]> {
  if (counts.length === 0) return [];
  const [row] = await session.query<{ counts: string[] }>(`select array[${counts.join(", ")}]::text[] as counts`);
  return (row?.counts ?? []).map(Number);
}

function nameOf({ plan: { table } }: StagedTable): { schema: string; name: string } {
  return { schema: table.schema, name: table.name };
}
