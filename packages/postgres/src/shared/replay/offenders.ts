import type { SqlSession, Table } from "@replant/core";
import { identityColumns, sqlState, tableLabel } from "@replant/core";
import { readCatalog } from "../catalog.ts";
import { quoteIdent, quoteTable } from "../quote.ts";
import { keyLabelSql } from "../selection.ts";

const listedMax = 20;

/** See `RowPort.offenders`: rows by key, found from what the server's error tells of table, column and key. */
export async function findOffenders(session: SqlSession, error: unknown): Promise<string[]> {
  const told = fieldsOf(error);
  const catalog = await readCatalog(session);
  const table = catalog.tables.find(({ schema, name }) => schema === told.schema && name === told.table);
  if (table === undefined) return [];
  const condition = conditionFor(table, { state: sqlState(error), ...told });
  const label = labelSql(table);
  if (condition === null || label === null) return [];
  const rows = await session.query<{ label: string; total: string }>(
    `select ${label} as label, count(*) over ()::text as total from ${quoteTable(table)} t where ${condition} order by 1 limit ${listedMax}`,
  );
  const more = Number(rows[0]?.total ?? 0) - rows.length;
  return [
    ...rows.map((row) => `${tableLabel(table)} ${row.label}`),
    ...(more > 0 ? [`and ${more} more rows of ${tableLabel(table)}`] : []),
  ];
}

interface Told {
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly detail: string | undefined;
}

function fieldsOf(error: unknown): Told {
  const field = (name: string): string | undefined => {
    const value: unknown =
      typeof error === "object" && error !== null && name in error ? Reflect.get(error, name) : undefined;
    return typeof value === "string" ? value : undefined;
  };
  return { schema: field("schema"), table: field("table"), column: field("column"), detail: field("detail") };
}

function labelSql(table: Table): string | null {
  const identity = identityColumns(table);
  return identity === null ? null : keyLabelSql(identity, (name) => `t.${quoteIdent(name)}`);
}

/** A column that the failed migration added is not there any more: then every row had no value in it. */
function conditionFor(table: Table, { state, column, detail }: Told & { state: string | undefined }): string | null {
  const has = (name: string): boolean => table.columns.some((candidate) => candidate.name === name);
  if (state === "23502" && column !== undefined) return has(column) ? `t.${quoteIdent(column)} is null` : "true";
  if (state !== "23505") return null;
  const key =
    /^Key \(([^()]*)\)=/
      .exec(detail ?? "")?.[1]
      ?.split(", ")
      .map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name)) ?? [];
  if (key.length === 0 || !key.every(has)) return null;
  const columns = key.map(quoteIdent).join(", ");
  return `(${key.map((name) => `t.${quoteIdent(name)}`).join(", ")}) in (select ${columns} from ${quoteTable(table)} group by ${columns} having count(*) > 1)`;
}
