import type { ReferencePlace } from "@replant/core";
import { quoteIdent, quoteLiteral } from "./quote.ts";

/** Rows in which a rule's reference is looked for. */
export interface PlacedColumn {
  /** A select of the rows under their columns' names. */
  readonly rows: string;
  readonly column: string;
  /** Type of the column without its modifier. */
  readonly type: string;
  readonly place: ReferencePlace;
}

/**
 * A select of the values at a place, as texts: `value`, with the columns of `keep` beside it. Only strings and numbers of a json
 * are values; whatever else stands at the end of a path means nothing. Needs no function of its own: a backup is read in a
 * transaction that may not make one.
 */
export function placedValuesSql({ rows, column, type, place }: PlacedColumn, keep: readonly string[] = []): string {
  const list = keep.map((name) => `q.${name}, `).join("");
  // The project's own SQL stands alone in a scope.
  const from = place.when === null ? `(${rows}) q` : `(select * from (${rows}) r where (${place.when}\n)) q`;
  const own = `q.${quoteIdent(column)}`;
  if (place.path.length === 0) return `select ${list}${own}::text as value from ${from} where ${own} is not null`;
  const json = type === "json" ? "json" : "jsonb";
  const start = json === "json" ? `${readableSql(`${own}::text`)}::json` : own;
  const steps = place.path.map((step, i) => {
    const of = i === 0 ? start : `s${i - 1}.value`;
    const [named, placed] =
      step === "*"
        ? ["", ""]
        : [` where e.key = ${quoteLiteral(step)}`, ` where (e.i - 1)::text = ${quoteLiteral(step)}`];
    return `cross join lateral (
      select e.value from ${json}_each(case when ${json}_typeof(${of}) = 'object' then ${of} else '{}' end) e${named}
      union all select e.value from ${json}_array_elements(case when ${json}_typeof(${of}) = 'array' then ${of} else '[]' end)
        with ordinality e(value, i)${placed}) s${i}`;
  });
  const last = `s${place.path.length - 1}.value`;
  return `select ${list}${last} #>> '{}' as value from ${from} ${steps.join(" ")} where ${json}_typeof(${last}) in ('string', 'number')`;
}

/**
 * The text of a json without what only the type `json` can hold and no function can read (\u0000 and halves of surrogate pairs);
 * as long as before, so that places in one are places in the other.
 */
export function readableSql(text: string): string {
  return String.raw`regexp_replace(${text}, E'\\\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', E'\\\\u0001', 'g')`;
}

/** How an id is written when it is compared as a text: the server's own way, where there are several. */
export function idTextSql(value: string, type: string | undefined): string {
  return type === "uuid" ? `lower(${value})` : value;
}
