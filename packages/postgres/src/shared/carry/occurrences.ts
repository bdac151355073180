import type { CarryReference, Catalog, SqlSession } from "@replant/core";
import { findTable } from "@replant/core";
import { idTextSql, placedValuesSql, readableSql } from "../placed-values.ts";
import { quoteIdent, quoteLiteral } from "../quote.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex } from "./staging.ts";

/** The staged values of a reference, one line per value. */
export interface ReferenceValues {
  /** Under the alias `s`, with the row's number `s.n`. */
  readonly from: string;
  readonly values: readonly string[];
  /** What turns a value of the target's column into what it is compared with. */
  readonly cast: "" | "::text";
}

export function referenceValues(table: StagedTable, reference: CarryReference): ReferenceValues {
  if (reference.place !== null) {
    return { from: `${occurrencesName(table, reference)} s`, values: ["s.o0"], cast: "::text" };
  }
  const values = reference.columns.map((name) => `s.c${columnIndex(table.plan, name)}`);
  return { from: `${table.rows} s`, values, cast: "" };
}

/**
 * Temporary table of the values of a reference that a rule says: `n`, `raw` as it stands in the row, `o0` as it is compared, and
 * `gone` once its rule for what is missing was applied. Each value stands once for a row.
 */
export function occurrencesName(table: StagedTable, reference: CarryReference): string {
  return `${table.rows}_v${table.plan.references.indexOf(reference)}`;
}

/** Finds the values of every reference that a rule says in the staged rows. */
export async function findOccurrences(session: SqlSession, staging: Staging, catalog: Catalog): Promise<void> {
  const scripts = staging.tables.flatMap((table) =>
    table.plan.references.flatMap((reference) =>
      reference.place === null ? [] : [occurrencesSql(table, reference, catalog)],
    ),
  );
  if (scripts.length > 0) await session.script([patchFunctionSql, ...scripts].join(";\n"));
}

function occurrencesSql(table: StagedTable, reference: CarryReference, catalog: Catalog): string {
  const { columns, target, targetColumns, place } = reference;
  const [column = "", targetColumn = ""] = [columns[0], targetColumns[0]];
  const own = table.plan.columns[columnIndex(table.plan, column)]?.target;
  const targetType = findTable(catalog, target)?.columns.find(({ name }) => name === targetColumn)?.baseType;
  const found = placedValuesSql(
    { rows: namedRowsSql(table), column, type: own?.baseType ?? "", place: place ?? { path: [], when: null } },
    ["replant_n"],
  );
  const name = occurrencesName(table, reference);
  return `create temp table ${name} as select v.replant_n as n, v.value as raw, ${idTextSql("v.value", targetType)} as o0, false as gone
      from (${found}) v group by v.replant_n, v.value;
    create index on ${name} (n); analyze ${name}`;
}

/** The staged rows under the names of their columns: the new ones, and old ones that the new table does not have. */
function namedRowsSql(table: StagedTable): string {
  const names = new Map<string, number>();
  for (const [index, column] of table.plan.columns.entries()) if (column !== null) names.set(column.target.name, index);
  for (const [index, name] of table.plan.sourceColumns.entries()) if (!names.has(name)) names.set(name, index);
  const columns = [...names].map(([name, index]) => `s.c${index} as ${quoteIdent(name)}`);
  return `select ${["s.n as replant_n", ...columns].join(", ")} from ${table.rows} s`;
}

/** The json of a row with the values at a path changed by `changes` (`{"old": "new"}`, null for none), all else as it was. */
export function patchSql(json: string, reference: CarryReference, changes: string): string {
  const path = (reference.place?.path ?? []).map((step) => quoteLiteral(step)).join(", ");
  return `pg_temp.replant_patch(${json}, array[${path}]::text[], ${changes})`;
}

// Walks the text of a json and copies it, but for the values that change. What json_each gives is a member's own text.
const patchFunctionSql = String.raw`
create or replace function pg_temp.replant_patch(doc text, path text[], changes jsonb) returns text language plpgsql as $replant$
declare
  clean text := ${readableSql("doc")};
  member record;
  old text;
  now text;
  head text;
  done text := '';
  at int := 1;
  kind text := json_typeof(clean::json);
begin
  if cardinality(path) = 0 then
    if kind not in ('string', 'number') then return doc; end if;
    old := clean::json #>> '{}';
    if not changes ? old then return doc; end if;
    now := changes ->> old;
    if now is null then return 'null'; end if;
    return case when kind = 'number' and now ~ '^-?(0|[1-9][0-9]*)$' then now else to_json(now)::text end;
  end if;
  if kind = 'object' then
    for member in select e.key, e.value::text as value from json_each(clean::json) e loop
      head := substring(substr(clean, at) from E'^[[:space:]]*[{,][[:space:]]*"(?:[^"\\\\]|\\\\.)*"[[:space:]]*:[[:space:]]*');
      done := done || substr(doc, at, char_length(head));
      at := at + char_length(head);
      now := substr(doc, at, char_length(member.value));
      done := done || case when path[1] in ('*', member.key) then pg_temp.replant_patch(now, path[2:], changes) else now end;
      at := at + char_length(member.value);
    end loop;
  elsif kind = 'array' then
    for member in select (e.i - 1)::text as key, e.value::text as value from json_array_elements(clean::json) with ordinality e(value, i) loop
      head := substring(substr(clean, at) from E'^[[:space:]]*[[,][[:space:]]*');
      done := done || substr(doc, at, char_length(head));
      at := at + char_length(head);
      now := substr(doc, at, char_length(member.value));
      done := done || case when path[1] in ('*', member.key) then pg_temp.replant_patch(now, path[2:], changes) else now end;
      at := at + char_length(member.value);
    end loop;
  end if;
  return done || substr(doc, at);
end $replant$`;
