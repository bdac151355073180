import type { BackupEntry, BackupReader, Column } from "@replant/core";
import { tableLabel } from "@replant/core";
import { copyLines, decodeRow } from "../text/rows.ts";

/** The version of the document; a reader takes this one only. */
export const documentVersion = "1.0";

/** Which rows of a part go into a document, by the server's text of each column. */
export type RowFilter = (entry: BackupEntry) => (row: readonly (string | null)[]) => boolean;

const everyRow: RowFilter = () => () => true;

/**
 * A backup as one JSON document: `{"timestamp", "version": "1.0", "tables": {name: [row, ...]}}`, and `"context"` with the rows
 * that kept rows only refer to, where there are any. A row is an object by column. Booleans, 32-bit integers and null are JSON's
 * own; everything else is the server's text in a string, so that nothing is rounded on the way and back.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED | REPLANT_USAGE when the text is not UTF-8
 */
export async function* writeDocument(reader: BackupReader, filter: RowFilter = everyRow): AsyncIterable<string> {
  const { createdAt, entries } = reader.manifest;
  const named = (role: BackupEntry["role"]): BackupEntry[] => entries.filter((entry) => entry.role === role);
  yield `{"timestamp":${JSON.stringify(createdAt)},"version":"${documentVersion}","tables":`;
  yield* writeTables(reader, named("kept"), filter);
  if (named("context").length > 0) {
    yield ',"context":';
    yield* writeTables(reader, named("context"), everyRow);
  }
  yield "}\n";
}

/** Columns whose values are strings only because JSON has nothing exact for them, as `users.created_at (timestamp)`. */
export function textColumns({ manifest }: BackupReader): string[] {
  return manifest.entries
    .filter(({ role }) => role === "kept")
    .flatMap(({ table, columns }) =>
      table.columns
        .filter((column) => columns.includes(column.name) && kindOf(column) === "text")
        .map(({ name, type }) => `${tableLabel(table)}.${name} (${type})`),
    );
}

async function* writeTables(
  reader: BackupReader,
  entries: readonly BackupEntry[],
  filter: RowFilter,
): AsyncIterable<string> {
  const names = new Set<string>();
  yield "{";
  for (const [index, entry] of entries.entries()) {
    const { schema, name } = entry.table;
    // A name with a dot in it may look like that of another schema's table.
    const label = names.has(tableLabel(entry.table)) ? `${schema}.${name}` : tableLabel(entry.table);
    names.add(label);
    yield `${index === 0 ? "" : ","}\n${JSON.stringify(label)}:[`;
    yield* writeRows(reader, entry, filter(entry));
    yield "]";
  }
  yield "}";
}

async function* writeRows(
  reader: BackupReader,
  entry: BackupEntry,
  wanted: ReturnType<RowFilter>,
): AsyncIterable<string> {
  const columns = entry.columns.map((name) => {
    const column = entry.table.columns.find((candidate) => candidate.name === name);
    return { member: `${JSON.stringify(name)}:`, bare: column !== undefined && kindOf(column) === "bare" };
  });
  let separator = "\n";
  for await (const lines of copyLines(reader, entry)) {
    const rows = lines.flatMap((line) => {
      const values = decodeRow(line, columns.length);
      if (!wanted(values)) return [];
      return `{${columns.map(({ member, bare }, index) => member + json(values[index] ?? null, bare)).join(",")}}`;
    });
    if (rows.length === 0) continue;
    yield separator + rows.join(",\n");
    separator = ",\n";
  }
}

function json(value: string | null, bare: boolean): string {
  if (value === null) return "null";
  if (!bare) return JSON.stringify(value);
  if (value === "t" || value === "f") return value === "t" ? "true" : "false";
  // A backup may come from anywhere; what is no number stays a string.
  return /^(0|-?[1-9]\d{0,9})$/.test(value) ? value : JSON.stringify(value);
}

/** `bare`: JSON has exactly these values. `string`: they are text anyway. `text`: JSON would change some of them. */
function kindOf({ baseType, enumLabels }: Column): "bare" | "string" | "text" {
  if (["boolean", "smallint", "integer"].includes(baseType)) return "bare";
  if (enumLabels !== null && !baseType.endsWith("[]")) return "string";
  return ["text", "character varying", "character", "uuid", "name", "citext"].includes(baseType) ? "string" : "text";
}
