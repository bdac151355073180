import type { SqlSession } from "@replant/core";
import { keyLabelSql } from "../selection.ts";
import type { StagedTable } from "./staging.ts";
import { columnIndex } from "./staging.ts";

/** At most this many rows are listed by name; counts are complete. */
export const listedRowsMax = 1000;

/** Of quarantined rows more are listed: `retry` goes by the list. */
export const listedQuarantinedMax = 10_000;

/** What names a staged row `s` in messages: its identity, or its place in the backup where it has none. */
export function rowLabelSql({ plan }: StagedTable): string {
  return plan.identity === null
    ? "'row ' || s.n"
    : keyLabelSql(plan.identity, (name) => `s.c${columnIndex(plan, name)}`);
}

/** Names of the rows whose numbers `n` a table or subselect has. */
export async function listRows(session: SqlSession, table: StagedTable, numbers: string): Promise<string[]> {
  const rows = await session.query<{ row: string }>(
    `select ${rowLabelSql(table)} as row from ${table.raw} s where s.n in (select l.n from ${numbers} l) order by s.n limit ${listedRowsMax}`,
  );
  return rows.map(({ row }) => row);
}
