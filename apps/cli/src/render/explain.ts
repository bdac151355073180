import type { ExplainedTable, ExplainReport } from "@replant/core";
import { labelled, retriedLines } from "./reports.ts";
import type { Style } from "./style.ts";
import { amount, plural } from "./words.ts";

/** One row's way from the backup into live. */
export interface RowWay {
  readonly key: string;
  readonly inBackup: boolean;
  readonly inLive: boolean;
  /** The reason why it was left behind; null when it was not. */
  readonly quarantined: string | null;
  readonly columns: readonly { readonly name: string; readonly change: "same" | "changed" | "new" | "gone" }[];
}

/** At most this many quarantined rows of a table are printed; --json has all that are listed. */
const shownRowsMax = 20;
const shownMappingsMax = 5;

export function explainLines(report: ExplainReport, style: Style): string[] {
  const { route, backup } = report;
  return [
    style.strong(`run ${report.run}`),
    labelled("command", `${report.command}, ${report.at}`),
    ...(backup === null ? [] : [labelled("backup", backup.location)]),
    ...(route === null ? [] : [labelled("route", routeText(route))]),
    ...report.tables.flatMap((table) => tableLines(table, style)),
    ...(report.retried === null ? [] : retriedLines(report.retried)),
    ...report.warnings.map((text) => labelled("warning", text)),
  ];
}

function routeText(route: NonNullable<ExplainReport["route"]>): string {
  return route.kind === "replay" ? `${route.why}: ${route.pending.join(", ")} ran over the rows` : route.why;
}

function tableLines(
  { table, way, counts, repointed, quarantined, acceptedLoss }: ExplainedTable,
  style: Style,
): string[] {
  return [
    style.strong(`  ${table}${way?.from === null || way?.from === table || way === null ? "" : ` (was ${way.from})`}`),
    ...(way === null ? [] : [detail(way.rung, way.why)]),
    ...(counts === null ? [] : [detail("rows", countsText(counts))]),
    ...(way?.migrated == null ? [] : migratedLines(way.migrated)),
    ...(way?.defaultedColumns ?? []).map(({ name, value }) => detail("default", `${name} -> ${value}`)),
    ...(way?.ruledColumns ?? []).map((name) => detail("rule", `${name} is made by its rule`)),
    ...(way?.droppedColumns ?? []).map((name) => detail("dropped", `${name} is not in the new schema`)),
    ...(way?.suggestions ?? []).map((text) => detail("perhaps", text)),
    ...repointed.flatMap(({ constraint, rows, mappings }) => [
      detail("re-point", `${plural(rows, "row")} (${constraint})`),
      ...mappings.slice(0, shownMappingsMax).map(({ from, to, key }) => detail("", `${from} -> ${to}  ${key}`)),
    ]),
    ...acceptedLoss.map(({ rows, reason }) => detail("lost", `${plural(rows, "row")}: ${reason}`)),
    ...quarantined.slice(0, shownRowsMax).map(({ row, reason }) => detail("left", `${row}: ${reason}`)),
    ...(quarantined.length > shownRowsMax
      ? [detail("", `and ${amount(quarantined.length - shownRowsMax)} more: --json lists them`)]
      : []),
  ];
}

function countsText(counts: NonNullable<ExplainedTable["counts"]>): string {
  const { inBackup, carried, replacedSeeded, dropped, quarantined } = counts;
  return [
    `${amount(carried)} of ${amount(inBackup)} kept`,
    ...(replacedSeeded > 0 ? [`${amount(replacedSeeded)} in place of seeded ones`] : []),
    ...(dropped > 0 ? [`${amount(dropped)} left out by rule`] : []),
    ...(quarantined > 0 ? [`${amount(quarantined)} quarantined`] : []),
  ].join(", ");
}

function migratedLines(migrated: NonNullable<NonNullable<ExplainedTable["way"]>["migrated"]>): string[] {
  const { loaded, added, own, removed, removedRows } = migrated;
  return [
    ...(loaded > 0 ? [detail("migrated", `${plural(loaded, "row")} of the backup`)] : []),
    ...(added > 0 ? [detail("made", `${plural(added, "row")} by migrations, of kept ones`)] : []),
    ...(own > 0
      ? [detail("own", `${plural(own, "row")} that migrations insert everywhere: the new database has its own`)]
      : []),
    ...(removed > 0
      ? [detail("deleted", `${plural(removed, "row")} by migrations: ${removedRows.slice(0, 5).join(", ")}`)]
      : []),
  ];
}

export function leftExportLines(report: {
  readonly backup: string;
  readonly file: string;
  readonly rows: number;
  readonly left: number;
}): string[] {
  const { backup, file, rows, left } = report;
  return [
    labelled("written", `${plural(rows, "row")} that were left behind, to ${file}`),
    ...(rows === left
      ? []
      : [
          labelled(
            "missing",
            `${plural(left - rows, "row")}: made by migrations, backup ${backup} has what they were made of`,
          ),
        ]),
  ];
}

export function rowWayLines({ key, inBackup, inLive, quarantined, columns }: RowWay): string[] {
  const of = (change: RowWay["columns"][number]["change"]): string[] =>
    columns.filter((column) => column.change === change).map(({ name }) => name);
  const line = (name: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [detail(name, names.join(", "))];
  return [
    `  row ${key}`,
    detail("backup", inBackup ? "has it" : "does not have it: no rule kept it then, or it was not there"),
    ...(quarantined === null ? [] : [detail("left", quarantined)]),
    detail("live", inLive ? "has it" : "does not have it"),
    ...(inBackup && inLive ? [...line("same", of("same")), ...line("changed", of("changed"))] : []),
    ...(inBackup && inLive ? [...line("new", of("new")), ...line("gone", of("gone"))] : []),
  ];
}

function detail(name: string, text: string): string {
  return `    ${name.padEnd(8)} ${text}`;
}
