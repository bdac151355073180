import type { BackupEntry, Column, RowSelection, SqlSession } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "./quote.ts";
import { selectionSql } from "./selection.ts";

/**
 * Rows with more than this go in COPY's binary form. The text of a value has up to twice its bytes (bytea, many escapes), numbers
 * in arrays and json more, and a server builds no text beyond 1 GB.
 */
export const binaryAboveBytes = 200_000_000;

/** What the server compresses a value to at best, about. */
const compression = 100;

// Types whose values are always small.
const small =
  /^(smallint|integer|bigint|real|double precision|numeric|money|boolean|uuid|oid|name|"char"|date|interval|inet|cidr|macaddr8?|time(stamp)? with(out)? time zone)$/;
// Types whose length the server knows without unpacking them.
const measured = /^(text|character varying|bytea)$/;

export interface CopyForm {
  readonly copy: BackupEntry["copy"];
  readonly columns: readonly string[];
}

/**
 * In which form a selection is read. Binary only where a row is too large for text: text can be shown, compared, cast and loaded
 * anywhere. Context rows are looked up by their keys, so they stay text and go without their large values.
 */
export async function copyForm(
  session: SqlSession,
  selection: RowSelection,
  { columns, aboveBytes }: { columns: readonly string[]; aboveBytes: number },
): Promise<CopyForm> {
  const large = selection.table.columns.filter((column) => columns.includes(column.name) && canBeLarge(column));
  const sizes = await largestSizes(session, selection, { large, aboveBytes });
  if (sizes.row <= aboveBytes) return { copy: "text", columns };
  if (selection.role === "kept") return { copy: "binary", columns };
  const without = large.filter((_, i) => (sizes.columns[i] ?? 0) > aboveBytes / compression).map(({ name }) => name);
  return { copy: "text", columns: columns.filter((name) => !without.includes(name)) };
}

function canBeLarge({ type, baseType, enumLabels }: Column): boolean {
  if (baseType.endsWith("[]")) return true;
  // A length in parentheses is a limit.
  if (enumLabels !== null || type !== baseType) return false;
  return !small.test(baseType);
}

/** The largest row, and the largest value of each column, unpacked. Zeros where the table is too small to hold a large one. */
async function largestSizes(
  session: SqlSession,
  selection: RowSelection,
  { large, aboveBytes }: { large: readonly Column[]; aboveBytes: number },
): Promise<{ row: number; columns: number[] }> {
  if (large.length === 0) return { row: 0, columns: [] };
  const names = large.map(({ name }) => name);
  const sizes = large.map((column) => sizeSql(column, aboveBytes / compression));
  const relation = `${quoteLiteral(quoteTable(selection.table))}::regclass`;
  const maxima = [sizes.join(" + "), ...sizes].map((size) => `coalesce(max(${size}), 0)::text`);
  const [row] = await session.query<{ sizes: string[] | null }>(
    `select case when pg_table_size(${relation}) + coalesce((select sum(pg_table_size(relid)) from pg_partition_tree(${relation})), 0)
         > ${Math.floor(aboveBytes / compression)}
       then (select array[${maxima.join(", ")}] from (${selectionSql(selection, names)}) t) end as sizes`,
  );
  const [largest = 0, ...columns] = (row?.sizes ?? []).map(Number);
  return { row: largest, columns };
}

/** Bytes of a value before compression. In a composite value a large one stands unpacked, whatever its type. */
function sizeSql({ name, baseType }: Column, packedBytes: number): string {
  const value = `t.${quoteIdent(name)}`;
  const size = measured.test(baseType)
    ? `octet_length(${value})`
    : `case when pg_column_size(${value}) > ${Math.floor(packedBytes)} then pg_column_size(row(${value})) else pg_column_size(${value}) end`;
  return `coalesce(${size}, 0)::bigint`;
}

/** For each type its function that gives the binary form; null when one of them has none. */
export async function sendFunctions(session: SqlSession, types: readonly string[]): Promise<readonly string[] | null> {
  const rows = await session.query<{ send: string }>(
    `select t.typsend::regproc::text as send from unnest($1::text[]) with ordinality u(name, n)
       join pg_type t on t.oid = u.name::regtype where t.typsend <> 0 order by u.n`,
    [types],
  );
  return rows.length === types.length ? rows.map(({ send }) => send) : null;
}

/** The binary form of values as what a digest is made of: it does not need their text, which may be too large. */
export function binaryValues(values: readonly string[], send: readonly string[]): string[] {
  return values.map((value, i) => `md5(${send[i]}(${value}))`);
}

/** What stands behind a COPY of this form. */
export function copyOptions(copy: BackupEntry["copy"]): string {
  return copy === "binary" ? " (format binary)" : "";
}
