import { ident, qualified } from "../schema.ts";
import { addRule, failAt, oldName, typeOf, type EvolvingTable, type Step } from "./evolving.ts";

/** The columns of the table's own enum, and of arrays of it, that are left. */
function moodColumns({ slots }: EvolvingTable): string[] {
  return ["mood", "moods"].flatMap((slot) => slots.get(slot) ?? []);
}

const enumOf = ({ model }: EvolvingTable): string => `public.${ident(`mood ${model.key.slice(1)}`)}`;

const labelAdded: Step = ({ evolution, table }) => {
  if (table.hasNewLabel) return false;
  table.hasNewLabel = true;
  const sql = `alter type ${enumOf(table)} add value 'new' before 'fine'`;
  evolution.migrations.push({ sql, seeded: sql });
  return true;
};

/** `gone` is called `to` in all rows from now on; a person says so by a map, or in SQL. */
function relabel(table: EvolvingTable, { to, inSql }: { to: string; inSql: boolean }): void {
  const swap = (text: string): string => text.replace(/\bgone\b/, to);
  for (const column of moodColumns(table)) {
    for (const { values } of table.rows) values[column] = values[column] == null ? null : swap(values[column]);
    const isArray = typeOf(table, column).endsWith("[]");
    const name = oldName(table, column);
    const olds = isArray ? ["{gone}", "{fine,gone}"] : ["gone"];
    const sql = isArray
      ? `array_replace(${name}::text[], 'gone', '${to}')`
      : `case ${name}::text when 'gone' then '${to}' else ${name}::text end`;
    addRule(table, column, inSql ? { convert: sql } : { map: Object.fromEntries(olds.map((old) => [old, swap(old)])) });
  }
}

const labelRenamed: Step = ({ evolution, table, way }) => {
  if (table.touched.has("enum")) return false;
  table.touched.add("enum");
  const sql = `alter type ${enumOf(table)} rename value 'gone' to 'lost'`;
  evolution.migrations.push({ sql, seeded: sql });
  relabel(table, { to: "lost", inSql: way % 2 === 1 });
  return true;
};

/** The type is made anew without the label; rows that have it get another one, or are in the way. */
const labelRemoved: Step = (scope) => {
  const { evolution, table, way } = scope;
  const columns = moodColumns(table);
  if (table.touched.has("enum") || columns.length === 0) return false;
  table.touched.add("enum");
  const next = `public.${ident(`mood next ${scope.at}`)}`;
  const replaced = way % 3 > 0;
  const cast = (column: string, type: string): string => {
    const name = ident(column);
    if (!replaced) return `${name}::text${type}::${next}${type}`;
    return type === "[]"
      ? `array_replace(${name}::text[], 'gone', 'fine')::${next}[]`
      : `(case ${name}::text when 'gone' then 'fine' else ${name}::text end)::${next}`;
  };
  const casts = columns.map((column) => {
    const type = typeOf(table, column).endsWith("[]") ? "[]" : "";
    return `alter column ${ident(column)} type ${next}${type} using ${cast(column, type)}`;
  });
  const labels = table.hasNewLabel ? "'odd one', 'new', 'fine'" : "'odd one', 'fine'";
  const sql = `create type ${next} as enum (${labels}); alter table ${qualified(table.model)} ${casts.join(", ")};
    drop type ${enumOf(table)}; alter type ${next} rename to ${ident(`mood ${table.model.key.slice(1)}`)}`;
  evolution.migrations.push({ sql, seeded: sql });
  if (replaced) {
    relabel(table, { to: "fine", inSql: way % 2 === 1 });
    return true;
  }
  for (const column of columns) {
    for (const row of table.rows) if (/\bgone\b/.test(row.values[column] ?? "")) row.refused.add(column);
  }
  failAt(scope, table.rows.filter(({ refused }) => columns.some((column) => refused.has(column))), { states: ["22P02"], named: false }); // prettier-ignore
  return true;
};

export const enumSteps = {
  "label-added": labelAdded,
  "label-renamed": labelRenamed,
  "label-removed": labelRemoved,
} satisfies Record<string, Step>;
