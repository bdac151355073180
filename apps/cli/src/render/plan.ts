import type { ResetPlan, TablePlan } from "@replant/core";
import type { Style } from "./style.ts";
import { amount, cut, plural, wrap } from "./words.ts";

/** Under the first table of a group. */
const indent = " ".repeat(17);

/** What a reset will do, per table: kept, replaced, dropped, quarantined. */
export function planLines(plan: ResetPlan, { style, run }: { style: Style; run: string }): string[] {
  const of = (action: TablePlan["action"]): TablePlan[] => plan.tables.filter((table) => table.action === action);
  const [kept, replaced, dropped] = [of("keep"), of("replace"), of("drop")];
  const lost = plan.tables.filter((table) => table.quarantinedRows > 0);
  return [
    `${style.strong("plan")}   nothing will be changed`,
    ...group({ sign: "=", action: "keep", style: style.good }, keptLines(kept, style)),
    ...group({ sign: "-/+", action: "replace", style: style.careful }, replacedLines(plan, replaced, style)),
    ...group(
      { sign: "-", action: "drop", style: style.bad },
      dropped.map(({ table, rows }) => `${table}  ${plural(rows, "row")}    not in the new schema`),
    ),
    ...group({ sign: "!", action: "quarantine", style: style.bad }, lost.map(lostLine)),
    ...plan.warnings.map((text) => `  ${style.careful("!")} ${text}`),
    summary(plan, { replaced, dropped }),
    ...plan.migrations.new.slice(0, 5).map((name) => `  new migration ${name}`),
    ...(plan.migrations.new.length > 5 ? [`  and ${plan.migrations.new.length - 5} more new migrations`] : []),
    `Run it: ${run}     plan ${plan.hash}`,
  ];
}

function group(
  { sign, action, style }: { sign: string; action: string; style: (text: string) => string },
  lines: readonly string[],
): string[] {
  return lines.map((line, index) =>
    index === 0 ? `  ${style(sign.padEnd(3))} ${action.padEnd(10)} ${line}` : indent + line,
  );
}

function keptLines(kept: readonly TablePlan[], style: Style): string[] {
  const width = Math.max(0, ...kept.map(({ table }) => table.length));
  return kept.flatMap(({ table, rows, keptRows, notes }) => {
    const count = keptRows === rows ? amount(keptRows) : `${amount(keptRows)} of ${amount(rows)}`;
    const rule = notes.find((note) => note.startsWith("where "));
    const line = `${table.padEnd(width)}  ${count}${rule === undefined ? "" : `    ${rule}`}`;
    const others = notes.filter((note) => note !== rule);
    return [
      cut(line, Math.max(60, style.columns - indent.length - 1)),
      ...wrap(others, { indent: " ".repeat(4), columns: style.columns - indent.length }).map(style.faint),
    ];
  });
}

function lostLine({ table, quarantinedRows, notes }: TablePlan): string {
  const reasons = notes.filter((note) => !note.startsWith("where "));
  return [`${table}  ${plural(quarantinedRows, "row")}`, ...reasons, "change the rule, or accept the loss"].join(
    "    ",
  );
}

function replacedLines(plan: ResetPlan, replaced: readonly TablePlan[], style: Style): string[] {
  if (plan.target.liveId === null) {
    return [`everything is new: ${plural(plan.migrations.count, "migration")}, ${plural(plan.seeds.length, "seed")}`];
  }
  if (replaced.length === 0) return [];
  const rows = replaced.reduce((total, table) => total + table.rows, 0);
  const sets = [...new Set(plan.seeds.map(({ set }) => set))].join(", ");
  const names = replaced.map(
    ({ table, rows, notes }) => `${table} ${amount(rows)}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`,
  );
  return [
    `${plural(replaced.length, "table")}, ${plural(rows, "row")}${sets === "" ? "" : `     seeds: ${sets}`}`,
    ...wrap(names, { indent: "", columns: style.columns - indent.length }),
  ];
}

function summary(
  plan: ResetPlan,
  { replaced, dropped }: { replaced: readonly unknown[]; dropped: readonly unknown[] },
): string {
  const { keptRows, lostRows } = plan.totals;
  const loss = lostRows === 0 ? "" : `, ${plural(lostRows, "row")} lost`;
  const counts = `${plural(keptRows, "row")} kept, ${plural(replaced.length, "table")} replaced, ${amount(dropped.length)} dropped${loss}`;
  return `Plan: ${counts}.   baseline: ${plan.baseline === "cached" ? "cached" : "to be built"}   ${plan.strategy.promise}`;
}
