import type { SqlSession } from "@replant/core";
import { ReplantError } from "@replant/core";
import type { TargetColumn, TargetTable } from "./table.ts";
import { rowsToJson } from "./values.ts";

export interface UpsertOptions {
  /** Columns of a unique key of the table: a row with the same values there is the same row. */
  readonly key: readonly string[];
  /** Columns to set where the row is there already: all others by default, none for `[]`. */
  readonly update?: readonly string[];
}

/** One `upsert` of a seed: one statement. Returns the rows that the server inserted or updated. */
export async function upsertRows(
  session: SqlSession,
  table: TargetTable,
  { rows, key, update }: UpsertOptions & { readonly rows: readonly object[] },
): Promise<number> {
  assertKey(table, key);
  const columns = columnsOf(table, rows);
  for (const name of [...key, ...(update ?? [])]) {
    if (rows.length > 0 && !columns.some((column) => column.name === name)) {
      throw failed(
        `column "${name}" is named by key or update, but the rows for table "${table.label}" do not have it`,
      );
    }
  }
  if (rows.length === 0) return 0;
  const updated = columns.filter(
    (column) => !key.includes(column.name) && (update?.includes(column.name) ?? !column.identityAlways),
  );
  const sql = upsertSql(table, columns, {
    key: columns.filter((column) => key.includes(column.name)),
    update: updated,
  });
  const [written] = await session.query<{ rows: string }>(sql, [
    rowsToJson(rows, { table: table.label, columns, key }),
  ]);
  return Number(written?.rows ?? 0);
}

/**
 * The rows come in as one JSON document and take the columns' own types. Those that are there already with equal values are
 * left out before the insert: ON CONFLICT alone would lock them, and use up numbers of sequences. Values are compared as
 * the server writes them, because not every type has an equality.
 */
function upsertSql(
  table: TargetTable,
  columns: readonly TargetColumn[],
  { key, update }: { readonly key: readonly TargetColumn[]; readonly update: readonly TargetColumn[] },
): string {
  const list = (of: readonly TargetColumn[], from?: string): string =>
    of.map((column) => (from === undefined ? column.sql : `${from}.${column.sql}`)).join(", ");
  const texts = (from: string): string =>
    `row(${update.map((column) => `${from}.${column.sql}::text collate "C"`).join(", ")})`;
  const same = [
    ...key.map((column) => `existing.${column.sql} = source.${column.sql}`),
    ...(update.length === 0 ? [] : [`${texts("existing")} is not distinct from ${texts("source")}`]),
  ];
  const onConflict =
    update.length === 0
      ? "do nothing"
      : `do update set ${update.map((column) => `${column.sql} = excluded.${column.sql}`).join(", ")}
         where ${texts("target")} is distinct from ${texts("excluded")}`;
  return `with written as (
    insert into ${table.sql} as target (${list(columns)})
    ${columns.some((column) => column.identityAlways) ? "overriding system value" : ""}
    select ${list(columns, "source")}
      from rows from (json_to_recordset($1::json) as (${columns.map((column) => `${column.sql} ${column.type}`).join(", ")}))
           with ordinality as source (${list(columns)}, "order of the rows")
     where not exists (select 1 from ${table.sql} as existing where ${same.join(" and ")})
     order by source."order of the rows"
        on conflict (${list(key)}) ${onConflict}
    returning 1)
  select count(*)::text as rows from written`;
}

function assertKey(table: TargetTable, key: readonly string[]): void {
  const wanted = new Set(key);
  if (table.keys.some((columns) => columns.length === wanted.size && columns.every((name) => wanted.has(name)))) return;
  throw failed(`table "${table.label}" has no unique key on (${key.join(", ")})`, {
    hint:
      table.keys.length === 0
        ? "upsert needs a primary key or a unique constraint"
        : `its keys are ${table.keys.map((columns) => `(${columns.join(", ")})`).join(" and ")}`,
  });
}

/** The columns that the rows name, in the table's order. Every row must name the same: a column left out has no value. */
function columnsOf(table: TargetTable, rows: readonly object[]): TargetColumn[] {
  const named = new Set(rows.flatMap(namesIn));
  for (const name of named) {
    if (table.columns.some((column) => column.name === name)) continue;
    throw failed(`table "${table.label}" has no column "${name}"`, {
      hint: `its columns are ${table.columns.map((column) => column.name).join(", ")}`,
    });
  }
  rows.forEach((row, index) => {
    const own = new Set(namesIn(row));
    const missing = [...named].find((name) => !own.has(name));
    if (missing === undefined) return;
    throw failed(`row ${index + 1} for table "${table.label}" has no "${missing}", which other rows have`, {
      hint: "give every row the same columns, or call upsert once per kind of row",
    });
  });
  return table.columns.filter((column) => named.has(column.name));
}

function namesIn(row: object): string[] {
  return Object.entries(row).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

function failed(message: string, details: { hint?: string } = {}): ReplantError {
  return new ReplantError("REPLANT_SEED_FAILED", message, details);
}
