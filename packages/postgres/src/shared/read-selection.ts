import type { RowSelection, SelectionFacts, SqlSession } from "@replant/core";
import { binaryValues, copyForm, copyOptions, sendFunctions, type CopyForm } from "./copy-form.ts";
import { quoteIdent } from "./quote.ts";
import { digestSql, seeingAll, storedColumns, storedSql } from "./selection.ts";
import { unreadable } from "./unreadable-row.ts";

/** @param aboveBytes rows with more than this are read in binary form */
export async function describeSelection(
  session: SqlSession,
  selection: RowSelection,
  aboveBytes: number,
): Promise<SelectionFacts> {
  const form = await copyForm(session, selection, { columns: storedColumns(selection), aboveBytes });
  const { columns } = form;
  const values = columns.map((name) => `t.${quoteIdent(name)}`);
  const send = form.copy === "text" ? null : await sendFunctions(session, typesOf(selection, columns));
  const source = `(${storedSql(selection, columns)}) as t`;
  const sql = digestSql(send === null ? values : binaryValues(values, send), source);
  const reading = session.query<{ rows: string; digest: string }>(sql).catch(async (error: unknown) => {
    throw await unreadable(session, { selection, columns }, error);
  });
  const [facts] = await seeingAll([selection.table], reading);
  const copy = send === null ? "text" : "binary";
  return { rows: Number(facts?.rows ?? 0), digest: facts?.digest ?? "0", columns, copy };
}

function typesOf({ table }: RowSelection, columns: readonly string[]): string[] {
  return columns.map((name) => table.columns.find((column) => column.name === name)?.baseType ?? "text");
}

export async function* readSelection(
  session: SqlSession,
  selection: RowSelection,
  { columns, copy }: CopyForm,
): AsyncIterable<Uint8Array> {
  try {
    yield* session.copyOut(`copy (${storedSql(selection, columns)}) to stdout${copyOptions(copy)}`);
  } catch (error) {
    throw await unreadable(session, { selection, columns }, error);
  }
}
