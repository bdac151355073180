import type { BackupReport, MigrateReport, RetriedRows, SeedReport, SwapReport, UndoReport } from "@replant/core";
import { tableLabel } from "@replant/core";
import type { Style } from "./style.ts";
import { amount, bytes, plural, seconds, wrap } from "./words.ts";

/** What the last lines of a run point to. */
export interface NextSteps {
  /** The command that takes it back. */
  readonly undo: string;
  /** How programs reach the embedded database; null on a server. */
  readonly serve: string | null;
}

/** What became of live after a reset, a restore or the last task of a chain. Counts were read back from the new database. */
export function swapLines(report: SwapReport, { style, next }: { style: Style; next: NextSteps }): string[] {
  const { carried, backup, previous, acceptedLoss, excluded, retried, warnings } = report;
  return [
    ...(carried === null ? [] : carriedLines(carried, style)),
    ...wayLines(report),
    ...excluded.map(({ table, rows }) =>
      labelled("not kept", `${plural(rows, "row")} of ${table}: its rule leaves them out`),
    ),
    ...acceptedLoss.map(({ table, rows, reason }) => labelled("lost", `${plural(rows, "row")} of ${table}: ${reason}`)),
    ...(acceptedLoss.length === 0 || backup === null ? [] : [labelled("", "accepted; the rows are in the backup")]),
    ...(retried === null ? [] : retriedLines(retried)),
    ...followUpLines(report.followUps),
    ...(backup === null ? [] : [labelled("backup", backup.location)]),
    ...(previous === null ? [] : [labelled("previous", previous)]),
    ...(warnings.length === 0 ? [] : [labelled("warnings", plural(warnings.length, "warning"))]),
    ...resultLines(report, { style, next }),
  ];
}

/** What there is to look at, or to do later; the rest was said when it happened. */
export function followUpLines(reports: SwapReport["followUps"]): string[] {
  const worth = reports.filter(({ state, items }) => state !== "done" || items.length > 0);
  return worth.flatMap(({ name, state, text, items }) => [
    labelled(name, state === "done" ? text : `${state}: ${text}`),
    ...items.slice(0, shownLeftMax).map((item) => labelled("", item)),
    ...(items.length > shownLeftMax ? [labelled("", `and ${amount(items.length - shownLeftMax)} more: --json`)] : []),
  ]);
}

/** At most this many rows that are still behind are printed; --json has all that are listed. */
const shownLeftMax = 20;

export function retriedLines({ asked, returned, byRule, run, left, backup }: RetriedRows): string[] {
  const still = asked - returned - byRule;
  return [
    labelled("back", `${amount(returned)} of ${plural(asked, "row")} that run ${run} left behind`),
    ...(byRule === 0 ? [] : [labelled("left out", `${plural(byRule, "row")}, by rule or because their key changed`)]),
    ...left
      .slice(0, shownLeftMax)
      .map(({ table, row, reason }) => labelled("left", `${tableLabel(table)} ${row}: ${reason}`)),
    ...(still === 0 ? [] : [labelled("", `${plural(still, "row")} still in backup ${backup}`)]),
  ];
}

/** What the rule for a missing reference did to a row. */
const missingWords = { null: "emptied", "drop-row": "left out", seed: "pointed at a seeded row" } as const;

function carriedLines({ tables, repointed, missing }: NonNullable<SwapReport["carried"]>, style: Style): string[] {
  const filled = tables.filter(({ inBackup }) => inBackup > 0);
  const kept = filled.map(({ table, carried }) => `${tableLabel(table)} ${amount(carried)}`);
  const [first = "no rows to keep", ...others] = wrap(kept, { indent: "", columns: style.columns - 12 });
  return [
    labelled("kept", first),
    ...others.map((line) => labelled("", line)),
    ...tables
      .filter(({ dropped }) => dropped > 0)
      .map(({ table, dropped }) => labelled("left out", `${plural(dropped, "row")} of ${tableLabel(table)}, by rule`)),
    ...tables
      .filter(({ replacedSeeded }) => replacedSeeded > 0)
      .map(({ table, replacedSeeded }) =>
        labelled("merged", `${plural(replacedSeeded, "row")} of ${tableLabel(table)} in place of seeded ones`),
      ),
    ...repointed.map(({ table, constraint, rows }) =>
      labelled("re-point", `${plural(rows, "row")} of ${tableLabel(table)} (${constraint})`),
    ),
    ...missing.map(({ table, constraint, rule, rows }) =>
      labelled("missing", `${plural(rows, "row")} of ${tableLabel(table)} ${missingWords[rule]} (${constraint})`),
    ),
  ];
}

/** Tables whose rows did not come straight over. */
function wayLines({ route, ways }: SwapReport): string[] {
  const replayed = ways.filter(({ rung }) => rung === "replay");
  const rows = replayed.reduce((total, { migrated }) => total + (migrated?.loaded ?? 0), 0);
  return [
    ...(route?.kind === "replay" && replayed.length > 0
      ? [labelled("migrated", `${plural(rows, "kept row")}, by ${plural(route.pending.length, "pending migration")}`)]
      : []),
    ...replayed.flatMap(({ table, migrated }) =>
      migrated === null || migrated.added === 0
        ? []
        : [labelled("", `${plural(migrated.added, "row")} of ${table} made of others`)],
    ),
    ...ways.filter(({ rung }) => rung === "map").map(({ table, why }) => labelled("by name", `${table}: ${why}`)),
  ];
}

function resultLines(report: SwapReport, { style, next }: { style: Style; next: NextSteps }): string[] {
  const took = seconds(report.durationMs);
  const first = report.previous === null;
  if (!style.rich) {
    const undo = first ? "" : ` undo=${JSON.stringify(next.undo)}`;
    const serve = next.serve === null ? "" : ` serve=${JSON.stringify(next.serve)}`;
    return [`replant result=ok total=${took} run=${report.run}${undo}${serve}`];
  }
  const words = first ? `Ready in ${took}` : `Done in ${took}.`;
  const undo = first ? "" : `   undo: ${next.undo}`;
  const serve = next.serve === null ? [] : [`  keep it reachable for your app: ${next.serve}`];
  return [`${style.strong(words)}${undo}`, ...serve];
}

export function backupLines(report: BackupReport, style: Style): string[] {
  const kept = report.tables.filter(({ role }) => role === "kept").map(({ table, rows }) => `${table} ${amount(rows)}`);
  const [first = "no rows", ...others] = wrap(kept, { indent: "", columns: style.columns - 12 });
  return [
    labelled("rows", first),
    ...others.map((line) => labelled("", line)),
    labelled("backup", `${report.location}  ${bytes(report.storedBytes)}`),
    doneLine(report.run, style),
  ];
}

export function undoLines(report: UndoReport, { style, redo }: { style: Style; redo: string }): string[] {
  const { differences, previous, replacedAt } = report;
  return [
    ...(differences.length === 0 ? ["  no table differs"] : ["  what was live until now, against what is live again:"]),
    ...differences.map(
      ({ table, onlyLive, onlyOther, changed }) =>
        `    ${tableLabel(table)}: ${plural(onlyLive, "row")} only before the undo, ${amount(onlyOther)} only after it, ${amount(changed)} changed`,
    ),
    labelled("live", `${report.live}, as it was before ${replacedAt}`),
    ...followUpLines(report.followUps),
    ...(previous === null ? [] : [labelled("previous", previous)]),
    style.rich
      ? `${style.strong("Done.")}   take it back: ${redo}`
      : `replant result=ok run=${report.run} undo=${JSON.stringify(redo)}`,
  ];
}

export function seedLines(report: SeedReport, style: Style): string[] {
  return [
    ...report.seeds.map(({ name, set, rows }) => `  ${name} (${set}): ${plural(rows, "row")}`),
    doneLine(report.run, style),
  ];
}

export function migrateLines(report: MigrateReport, style: Style): string[] {
  return [...report.applied.map(({ name }) => `  applied ${name}`), doneLine(report.run, style)];
}

/** The end of a task of a chain that is not its last. */
export function chainLine(run: string, { style, next }: { style: Style; next: string }): string {
  return style.rich
    ? `${style.strong("Done.")}   live was not changed; next task of the chain: ${next}`
    : `replant result=ok run=${run} live=unchanged next=${JSON.stringify(next)}`;
}

export function doneLine(run: string, style: Style): string {
  return style.rich ? style.strong("Done.") : `replant result=ok run=${run}`;
}

/** A fact under its name. `width`: of the longest name that stands above or below it, at least 8. */
export function labelled(name: string, text: string, width = 8): string {
  return `  ${name.padEnd(Math.max(8, width))} ${text}`;
}
