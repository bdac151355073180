import type { BackupEntry, BackupReader } from "@replant/core";
import { ReplantError, tableLabel } from "@replant/core";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { backupTableLines, rowLines } from "../../render/backup.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

type Row = readonly (string | null)[];
const limitOfPage = 50;

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [reference] = requireWords(cli, input, ["a backup"]);
  const [table] = input.further;
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const reader = await store.open(reference);
    return table === undefined ? tables(reader) : rows(cli, { reader, table, limit: input.flags.limit });
  });
}

function tables({ manifest, location }: BackupReader): Outcome {
  const { id, createdAt, migrations, lineage, tool } = manifest;
  const shown = manifest.entries.map(({ table, role, rows: count, storedBytes, columns }) => ({
    table: tableLabel(table),
    role,
    rows: count,
    storedBytes,
    columns,
  }));
  const lastMigration = migrations.at(-1)?.name ?? null;
  const document = { id, location, createdAt, tool, database: lineage.database, lastMigration, tables: shown };
  return { document, text: () => backupTableLines(document) };
}

async function rows(
  cli: Cli,
  { reader, table, limit }: { reader: BackupReader; table: string; limit: number | undefined },
): Promise<Outcome> {
  const entry = entryOf(reader, table);
  const { stream } = cli;
  const most = limit ?? (stream === null ? limitOfPage : Infinity);
  const page: Row[] = [];
  let shown = 0;
  for await (const row of readRows(reader, entry)) {
    if (shown === most) break;
    shown += 1;
    if (stream === null) page.push(row);
    else stream({ type: "row", row });
  }
  const { columns, role } = entry;
  const counts = { backup: reader.manifest.id, table: tableLabel(entry.table), role, rowsInBackup: entry.rows };
  return {
    document: { ...counts, columns, rowsShown: shown, ...(stream === null ? { rows: page } : {}) },
    text: (style) => rowLines({ columns, rows: page, shown, total: entry.rows }, style),
  };
}

async function* readRows(reader: BackupReader, entry: BackupEntry): AsyncGenerator<Row, void, undefined> {
  const { copyLines, decodeRow } = await import("@replant/backups/text");
  for await (const lines of copyLines(reader, entry)) {
    for (const line of lines) yield decodeRow(line, entry.columns.length);
  }
}

/** The part of a table: its kept rows, and the context rows where there are no others. */
function entryOf({ manifest: { id, entries } }: BackupReader, name: string): BackupEntry {
  const named = entries.filter(({ table }) => tableLabel(table) === name || `${table.schema}.${table.name}` === name);
  const entry = named.find(({ role }) => role === "kept") ?? named[0];
  if (entry !== undefined) return entry;
  throw new ReplantError("REPLANT_TABLE_UNKNOWN", `backup ${id} has no table ${JSON.stringify(name.slice(0, 200))}`, {
    hint: "name one of those that are listed",
    items: entries.map(({ table }) => tableLabel(table)),
  });
}
