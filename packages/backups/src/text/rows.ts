import type { BackupEntry, BackupReader } from "@replant/core";
import { ReplantError, tableLabel } from "@replant/core";

const [tab, newline] = [9, 10];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The rows of a part as lines of COPY text without their ends, those that end in one piece of the text at a time. A line is valid
 * as long as the piece is. COPY escapes a newline inside a value, so a line is a row.
 * @throws ReplantError REPLANT_BACKUP_BINARY for a part in binary form
 */
export async function* copyLines(reader: BackupReader, entry: BackupEntry): AsyncIterable<readonly Buffer[]> {
  if (entry.copy === "binary") throw notText(entry, "its rows are in binary form");
  let rest: Buffer[] = [];
  for await (const piece of reader.rows(entry.id)) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      const last = bytes.subarray(start, end);
      lines.push(rest.length === 0 ? last : Buffer.concat([...rest, last]));
      rest = [];
      start = end + 1;
    }
    if (start < bytes.length) rest.push(Buffer.from(bytes.subarray(start)));
    if (lines.length > 0) yield lines;
  }
}

/** @param why ASCII */
export function notText({ table }: BackupEntry, why: string): ReplantError {
  return new ReplantError("REPLANT_BACKUP_BINARY", `${tableLabel(table)} cannot be read without a server: ${why}`, {
    why: "rows whose text would be too large for PostgreSQL are kept in its binary form",
    state: "the backup is whole, and can be restored",
    hint: "restore it, and read the table there",
  });
}

/** The fields of a line, still escaped: equal fields are equal values. A table without columns has lines without fields. */
export function copyFields(line: Buffer, columns: number): Buffer[] {
  const fields: Buffer[] = [];
  let start = 0;
  for (let end = line.indexOf(tab); end !== -1; end = line.indexOf(tab, start)) {
    fields.push(line.subarray(start, end));
    start = end + 1;
  }
  if (columns > 0 || start < line.length) fields.push(line.subarray(start));
  if (fields.length === columns) return fields;
  throw new ReplantError("REPLANT_BACKUP_DAMAGED", `a row has ${fields.length} values instead of ${columns}`, {
    hint: "use another backup; `replant backups` lists them",
  });
}

/**
 * The values of a line as the server's own text; null is NULL.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED for another number of values | REPLANT_USAGE when the text is not UTF-8
 */
export function decodeRow(line: Buffer, columns: number): (string | null)[] {
  return copyFields(line, columns).map(decodeField);
}

const unescaped: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
const escaped: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function decodeField(field: Buffer): string | null {
  const text = utf8(field);
  if (text === "\\N") return null;
  return text.includes("\\") ? text.replaceAll(/\\(.)/gs, (_, mark: string) => unescaped[mark] ?? mark) : text;
}

function utf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ReplantError("REPLANT_USAGE", "the rows of this backup are not UTF-8, so they cannot be shown as text", {
      why: "the database has another encoding",
      state: "the backup is whole, and can be restored",
      cause,
    });
  }
}

/** A line of COPY text, with its end, as the server itself would write it. */
export function encodeRow(values: readonly (string | null)[]): string {
  const fields = values.map((value) =>
    value === null ? "\\N" : value.replaceAll(/[\\\b\f\n\r\t\v]/g, (character) => escaped[character] ?? character),
  );
  return `${fields.join("\t")}\n`;
}
