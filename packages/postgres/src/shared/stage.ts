import type { RowSelection, SqlSession, StagedRows, TableName } from "@replant/core";
import { columnList, quoteTable } from "./quote.ts";

const staged: TableName = { schema: "pg_temp", name: "replant_staged" };

/** See `RowPort.stage`. */
export async function stageRows(session: SqlSession, { table, columns, rows }: StagedRows): Promise<RowSelection> {
  const list = columnList(columns);
  await session.script(`drop table if exists ${quoteTable(staged)};
    create temp table ${quoteTable(staged)} on commit drop as select ${list} from ${quoteTable(table)} with no data`);
  await session.copyIn(`copy ${quoteTable(staged)} (${list}) from stdin`, rows);
  const stored = table.columns.filter(({ name }) => columns.includes(name));
  return {
    table: { ...table, ...staged, columns: stored },
    role: "kept",
    where: null,
    referencedBy: [],
    exclude: null,
  };
}
