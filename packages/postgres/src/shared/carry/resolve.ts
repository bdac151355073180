import type { CarryReference, SqlSession } from "@replant/core";
import { sameTable } from "@replant/core";
import { occurrencesName, patchSql, referenceValues } from "./occurrences.ts";
import type { ReferenceMap, ReferenceMaps } from "./references.ts";
import { findMap } from "./references.ts";
import { valueWhenMissing } from "./seeds.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex, writtenColumns } from "./staging.ts";

/** Makes the views of what will be loaded. Keys of kept rows that are references themselves change, and who points at them follows. */
export async function resolveViews(session: SqlSession, staging: Staging, maps: ReferenceMaps): Promise<void> {
  for (const table of staging.tables) {
    if (table.plan.seedColumns.length > 0) await session.script(seededSql(table));
    await session.script(resolvedViewSql(table, maps));
  }
  for (const table of staging.tables) {
    const changing = new Set(table.plan.references.flatMap(({ columns }) => columns));
    for (const map of maps.filter(({ target }) => sameTable(target, table.plan.table))) {
      const at = map.columns.map((name) => columnIndex(table.plan, name));
      if (!map.columns.some((name) => changing.has(name)) || at.includes(-1)) continue;
      const columns = at.flatMap((_, i) => [`o${i}`, `w${i}`]).join(", ");
      const values = at.flatMap((index) => [`s.c${index}`, `r.f${index}`]).join(", ");
      await session.script(`insert into ${map.name} (${columns}, kept, key) select ${values}, true, 'the row is kept'
        from ${table.rows} s join ${table.resolved} r on r.n = s.n
        where ${at.map((index) => `s.c${index} is not null`).join(" and ")}
          and (${at.map((index) => `s.c${index} is distinct from r.f${index}`).join(" or ")}) on conflict do nothing`);
    }
  }
}

/** What becomes of one column of a row: the first of `when` that holds, else the first of `news` that is known. */
interface Translation {
  readonly when: { readonly holds: string; readonly value: string }[];
  readonly news: string[];
  /** Turn the json that is passed to them into the one that is written. */
  readonly patches: ((json: string) => string)[];
}

/** The view of what will be loaded: every written column with its final value, excluded rows left out. */
function resolvedViewSql(table: StagedTable, maps: ReferenceMaps): string {
  const joins: string[] = [];
  const translations = new Map<number, Translation>();
  const of = (name: string): Translation => {
    const at = columnIndex(table.plan, name);
    const found = translations.get(at) ?? { when: [], news: [], patches: [] };
    translations.set(at, found);
    return found;
  };
  for (const [index, reference] of table.plan.references.entries()) {
    const map = findMap(maps, reference.target, reference.targetColumns);
    if (map === null) continue;
    const scope = { table, reference, index, map };
    if (reference.place === null) joins.push(...translateKey(scope, of));
    else if (reference.place.path.length === 0) joins.push(...translateColumn(scope, of));
    else joins.push(...translateJson(scope, of));
  }
  if (table.plan.seedColumns.length > 0) joins.push(`left join ${seededName(table)} q on q.n = s.n`);
  const columns = writtenColumns(table.plan).map(({ column, index }) => {
    const own = translatedSql(translations.get(index), `s.c${index}`, column.target.type);
    const stays = table.plan.seedColumns.includes(column.target.name);
    return `${stays ? `case when q.n is not null then q.v${index} else ${own} end` : own} as f${index}`;
  });
  return `create temp view ${table.resolved} as select ${["s.n", ...columns].join(", ")} from ${table.rows} s ${joins.join(" ")}
    where not exists (select from ${table.excluded} x where x.n = s.n)`;
}

/** A column that several references share means the same row's value to all of them; whichever knows the new one says it. */
function translatedSql(translation: Translation | undefined, value: string, type: string): string {
  if (translation === undefined) return value;
  const { when, news, patches } = translation;
  const known = news.length === 0 ? value : `coalesce(${[...news, value].join(", ")})`;
  if (patches.length > 0) return `(${patches.reduce((json, patch) => patch(json), `${known}::text`)})::${type}`;
  // Emptied by one is emptied for all.
  const ordered = when.toSorted((a, b) => Number(b.value === "null") - Number(a.value === "null"));
  return `case ${ordered.map(({ holds, value: then }) => `when ${holds} then ${then}`).join(" ")} else ${known} end`;
}

interface TranslationScope {
  readonly table: StagedTable;
  readonly reference: CarryReference;
  readonly index: number;
  readonly map: ReferenceMap;
}

/** A foreign key: joins of the view, and what they mean for its columns. */
function translateKey({ table, reference, index, map }: TranslationScope, of: (name: string) => Translation): string[] {
  const { values } = referenceValues(table, reference);
  for (const [i, name] of reference.columns.entries()) {
    of(name).news.push(`m${index}.w${i}`);
    of(name).when.push({ holds: `z${index}.n is not null`, value: valueWhenMissing(table, reference, i) });
  }
  return [
    `left join ${map.name} m${index} on ${values.map((value, i) => `m${index}.o${i} = ${value}`).join(" and ")}`,
    `left join ${table.nulled} z${index} on z${index}.n = s.n and z${index}.r = ${index}`,
  ];
}

/** A column that a rule says is a reference. */
function translateColumn(scope: TranslationScope, of: (name: string) => Translation): string[] {
  const { table, reference, index, map } = scope;
  const [name = ""] = reference.columns;
  const type = table.plan.columns[columnIndex(table.plan, name)]?.target.type ?? "text";
  const missing = valueWhenMissing(table, reference, 0);
  of(name).news.push(`m${index}.w0::text::${type}`);
  of(name).when.push({ holds: `v${index}.gone`, value: missing === "null" ? missing : `${missing}::text::${type}` });
  return [
    `left join ${occurrencesName(table, reference)} v${index} on v${index}.n = s.n`,
    `left join ${map.name} m${index} on m${index}.o0::text = v${index}.o0`,
  ];
}

/** Values inside a json: those that change are gathered per row. */
function translateJson(
  { table, reference, index, map }: TranslationScope,
  of: (name: string) => Translation,
): string[] {
  const now = `case when v.gone then ${valueWhenMissing(table, reference, 0)}::text else m.w0::text end`;
  of(reference.columns[0] ?? "").patches.push(
    (json) =>
      `case when j${index}.changes is null then ${json} else ${patchSql(json, reference, `j${index}.changes`)} end`,
  );
  return [
    `left join (select v.n, jsonb_object_agg(v.raw, ${now}) as changes from ${occurrencesName(table, reference)} v
      left join ${map.name} m on m.o0::text = v.o0 where v.gone or m.w0::text <> v.o0 group by v.n) j${index} on j${index}.n = s.n`,
  ];
}

/** Temporary table of the values that stay those of the seeds: `n`, and `v` with the column's index for each of them. */
export function seededName(table: StagedTable): string {
  return `${table.rows}_q`;
}

function seededSql(table: StagedTable): string {
  const columns = writtenColumns(table.plan)
    .filter(({ column }) => table.plan.seedColumns.includes(column.target.name))
    .map(({ column, index }) => `v${index} ${column.target.type}`);
  return `create temp table ${seededName(table)} (${["n bigint primary key", ...columns].join(", ")})`;
}
