import type { ExplainReport, Ports } from "@replant/core";
import type { RowFilter } from "@replant/backups/json";
import { explain, findLeftRows, findTableByLabel, identityColumns, ReplantError, tableLabel } from "@replant/core";
import { resolve } from "node:path";
import { readRows } from "../../backup-rows.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { explainLines, leftExportLines, rowWayLines, type RowWay } from "../../render/explain.ts";
import { writeNewFile } from "../../write-new-file.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags, argument }: Input<typeof specs>): Promise<Outcome> {
  const { table, row } = flags;
  if (row !== undefined && table === undefined) {
    throw new ReplantError("REPLANT_USAGE", "--row needs --table", {
      state: "nothing was touched",
      hint: "say whose row it is: replant explain --table users --row <key>",
    });
  }
  return withProject(cli, { changes: false }, async ({ ports }) => {
    const report = await explain(ports, { run: argument, table: table ?? null });
    if (flags.export !== undefined) return exportLeft(cli, ports, { report, file: flags.export });
    if (row === undefined) return { document: report, text: (style) => explainLines(report, style) };
    const way = await wayOfRow(ports, { report, key: row.split(",") });
    return {
      document: { ...report, row: way },
      text: (style) => [...explainLines(report, style), ...rowWayLines(way)],
    };
  });
}

/** The quarantined rows of a run, out of its backup. */
async function exportLeft(
  cli: Cli,
  ports: Ports,
  { report, file }: { report: ExplainReport; file: string },
): Promise<Outcome> {
  const left = await findLeftRows(ports, report.run);
  const { writeDocument } = await import("@replant/backups/json");
  let rows = 0;
  const filter: RowFilter = ({ table, columns }) => {
    const from = report.tables.find(({ way }) => way?.from === tableLabel(table))?.table;
    const wanted = left.wanted.find((candidate) => [tableLabel(table), from].includes(candidate.table));
    const labels = new Set(wanted?.rows);
    const identity = identityColumns(table) ?? [];
    return (row) => {
      const label = identity.map((name) => `${name}=${row[columns.indexOf(name)] ?? "NULL"}`).join(", ");
      const chosen = wanted !== undefined && (wanted.rows === null || labels.has(label));
      if (chosen) rows += 1;
      return chosen;
    };
  };
  await writeNewFile(resolve(cli.cwd, file), writeDocument(left.reader, filter));
  const document = { run: report.run, backup: left.reader.manifest.id, file, rows, left: left.count };
  return { document, text: () => leftExportLines(document) };
}

/** One row in the backup of a run and in live, column by column. Values other than keys and references are not shown. */
async function wayOfRow(
  ports: Ports,
  { report, key }: { report: ExplainReport; key: readonly string[] },
): Promise<RowWay> {
  const [table] = report.tables;
  if (table === undefined || report.backup === null)
    throw new Error("a run that carried rows has a table and a backup");
  const label = key.join(", ");
  const quarantined = table.quarantined.find(({ row }) => row.endsWith(`=${label}`))?.reason ?? null;
  const before = await rowOfBackup(ports, { backup: report.backup.id, table: table.way?.from ?? table.table, key });
  const live = await ports.engine.liveRef();
  const now = live === null ? null : await rowOfLive(ports, { live, label: table.table, key });
  return { key: label, inBackup: before !== null, inLive: now !== null, quarantined, columns: compare(before, now) };
}

type Row = Readonly<Record<string, string | null>>;

async function rowOfBackup(
  { store }: Ports,
  { backup, table, key }: { backup: string; table: string; key: readonly string[] },
): Promise<Row | null> {
  const reader = await store.open(backup);
  const entry = reader.manifest.entries.find((part) => part.role === "kept" && tableLabel(part.table) === table);
  const identity = entry === undefined ? null : identityColumns(entry.table);
  if (entry === undefined || identity === null) return null;
  const places = identity.map((name) => entry.columns.indexOf(name));
  for await (const row of readRows(reader, entry)) {
    if (places.every((place, index) => row[place] === key[index])) {
      return Object.fromEntries(entry.columns.map((name, index) => [name, row[index] ?? null]));
    }
  }
  return null;
}

async function rowOfLive(
  { engine, rows }: Ports,
  { live, label, key }: { live: { name: string; id: string }; label: string; key: readonly string[] },
): Promise<Row | null> {
  const session = await engine.connect(live);
  try {
    const table = findTableByLabel(await engine.catalog(session), label);
    return table === undefined ? null : await rows.find(session, table, key);
  } finally {
    await session.close();
  }
}

function compare(before: Row | null, now: Row | null): RowWay["columns"] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(now ?? {})])];
  return names.map((name) => {
    const [old, current] = [before?.[name], now?.[name]];
    const change = old === undefined ? "new" : current === undefined ? "gone" : old === current ? "same" : "changed";
    return { name, change };
  });
}
