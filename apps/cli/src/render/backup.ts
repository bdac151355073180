import type { BackupDifference } from "@replant/backups/inspect";
import { labelled } from "./reports.ts";
import type { Style } from "./style.ts";
import { amount, bytes, cut, plural } from "./words.ts";

const cellMax = 40;

/** The tables of one backup. */
export function backupTableLines(shown: {
  readonly location: string;
  readonly createdAt: string;
  readonly database: string;
  readonly lastMigration: string | null;
  readonly tables: readonly { table: string; role: string; rows: number; storedBytes: number }[];
}): string[] {
  return [
    labelled("backup", shown.location),
    labelled("of", `${printable(shown.database)}, ${shown.createdAt}`),
    labelled("migration", printable(shown.lastMigration ?? "none")),
    ...shown.tables.map(({ table, role, rows, storedBytes }) =>
      labelled(role, `${printable(table)}  ${plural(rows, "row")}, ${bytes(storedBytes)}`),
    ),
  ];
}

/** Rows as columns of text. NULL is nothing at all; what would move the cursor is shown as an escape. */
export function rowLines(
  {
    columns,
    rows,
    shown,
    total,
  }: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | null)[])[];
    readonly shown: number;
    readonly total: number;
  },
  style: Style,
): string[] {
  const cells = [columns, ...rows].map((row) => row.map((value) => cut(printable(value ?? ""), cellMax)));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const [head = "", ...lines] = cells.map((row) =>
    `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")}`.trimEnd(),
  );
  const more = shown < total ? `, ${amount(total - shown)} more: --limit=${total}` : "";
  return [...(rows.length === 0 ? [] : [style.strong(head), ...lines]), `  ${plural(shown, "row")}${more}`];
}

export function differenceLines(tables: readonly BackupDifference[]): string[] {
  return tables.map((table) => {
    const { added, removed, changed, same, addedColumns, removedColumns } = table;
    const counts = [
      ...(added > 0 ? [`${amount(added)} added`] : []),
      ...(removed > 0 ? [`${amount(removed)} removed`] : []),
      ...(changed > 0 ? [`${amount(changed)} changed`] : []),
      `${amount(same)} the same`,
      ...addedColumns.map((name) => `column ${printable(name)} is new`),
      ...removedColumns.map((name) => `column ${printable(name)} is gone`),
    ];
    return `  ${printable(table.table)}: ${counts.join(", ")}`;
  });
}

export function exportLines(
  { file, textColumns }: { readonly file: string; readonly textColumns: readonly string[] },
  style: Style,
): string[] {
  return [
    ...(textColumns.length === 0
      ? []
      : [
          `  ${style.careful("!")} strings in the document, because JSON has nothing exact for them:`,
          ...textColumns.map((column) => `    ${printable(column)}`),
        ]),
    labelled("document", file),
  ];
}

/** A backup's text may come from anywhere; a terminal must not obey it. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => JSON.stringify(character).slice(1, -1));
}
