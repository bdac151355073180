import type { RowSelection, SqlSession } from "@replant/core";
import { identityColumns, messageOf, ReplantError, sqlState, tableLabel } from "@replant/core";
import { doBlock, ownRows, quoteIdent, quoteLiteral } from "./quote.ts";
import { keyLabelSql, selectionSql } from "./selection.ts";

/** A selection, and the columns of it that are read. */
interface Reading {
  readonly selection: RowSelection;
  readonly columns: readonly string[];
}

/** A value beyond the server's limits, or bytes that are no UTF-8 in a database that does not look. */
function isUnreadable(error: unknown): boolean {
  const state = sqlState(error);
  return state === "54000" || state === "22021" || (state === "XX000" && /memory alloc/.test(messageOf(error)));
}

/**
 * What to throw for an error of reading rows: where the server cannot write a row out, that row by table, key and column, as far
 * as they can be found. An open transaction has failed already and is ended, so that the server can be asked.
 */
export async function unreadable(session: SqlSession, reading: Reading, error: unknown): Promise<unknown> {
  if (!isUnreadable(error)) return error;
  const found = await findRow(session, reading).catch(() => null);
  const label = tableLabel(reading.selection.table);
  const row = found === null ? `a row of ${label}` : `the row ${found.key} of ${label}`;
  const column = found?.column == null ? "" : ` because of its column "${found.column}"`;
  return new ReplantError("REPLANT_ROW_UNREADABLE", `the server cannot write out ${row}${column}`, {
    why: messageOf(error),
    state: "nothing was written",
    hint: "correct the value, or leave the row out by the condition of its keep rule",
    cause: error,
  });
}

interface FoundRow {
  readonly key: string;
  /** null when no single value is too much. */
  readonly column: string | null;
}

const foundState = "P0001";

/** Writes out one row after the other, in the server, until it cannot. */
async function findRow(session: SqlSession, { selection, columns }: Reading): Promise<FoundRow | null> {
  const { table } = selection;
  const key = identityColumns(table) ?? [];
  const label = key.length === 0 ? "'without a key'" : keyLabelSql(key, (name) => `q.${quoteIdent(name)}`);
  const from = `from ${ownRows(table)} t where t.ctid = replant_place and t.tableoid = replant_part`;
  const value = (name: string): string => `t.${quoteIdent(name)}`;
  const ofColumns = columns.map(
    (name) => `begin perform textsend(${value(name)}::text) ${from};
      exception when others then replant_column := coalesce(replant_column, ${quoteLiteral(name)}); end;`,
  );
  await session.script("rollback");
  try {
    await session.script(
      doBlock(`declare replant_key text; replant_place tid; replant_part oid; replant_column text; begin
      for replant_key, replant_place, replant_part in
        select ${label}, q.ctid, q.tableoid from (${selectionSql(selection, [...key, "ctid", "tableoid"])}) q loop
        begin
          perform textsend(row(${columns.map(value).join(", ")})::text) ${from};
        exception when others then
          ${ofColumns.join("\n")}
          raise exception using errcode = '${foundState}', message = json_build_object('key', replant_key, 'column', replant_column)::text;
        end;
      end loop; end`),
    );
  } catch (error) {
    if (sqlState(error) !== foundState || !(error instanceof Error)) throw error;
    return JSON.parse(error.message) as FoundRow;
  }
  return null;
}
