import type { BackupEntry, BackupReader } from "@replant/core";

/** One row of a backup: the server's own text of each column, null for NULL. */
export type BackupRow = readonly (string | null)[];

/** The rows of one part, in the order in which they stand there. */
export async function* readRows(reader: BackupReader, entry: BackupEntry): AsyncGenerator<BackupRow, void, undefined> {
  const { copyLines, decodeRow } = await import("@replant/backups/text");
  for await (const lines of copyLines(reader, entry)) {
    for (const line of lines) yield decodeRow(line, entry.columns.length);
  }
}
