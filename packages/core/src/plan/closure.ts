import type { ReferencedBy, RowSelection } from "../model/carry.ts";
import type { Catalog } from "../model/catalog.ts";
import { sameTable, tableLabel } from "../model/catalog.ts";
import type { KeepRules } from "../model/keep.ts";
import type { TableFacts, UnkeptReference } from "../model/plan.ts";
import { keptSelections, rowsRuleOf } from "./backup.ts";
import { referencesOf } from "./references.ts";

/** A reference by which kept rows may point at rows that no rule keeps. */
export interface ClosureCheck {
  readonly constraint: string;
  /** What the target's own rule selects. */
  readonly target: RowSelection;
  readonly reference: ReferencedBy;
}

/**
 * The references to ask of live before a reset: from kept tables to tables that are kept with a condition, but for those whose
 * rule says already what becomes of a row that is missing.
 */
export function closureChecks(catalog: Catalog, keep: KeepRules): ClosureCheck[] {
  const kept = keptSelections(catalog, keep);
  return kept.flatMap((from) => {
    const rule = rowsRuleOf(from.table, { keep, catalog });
    if (rule === null) return [];
    return referencesOf(from.table, catalog, rule).references.flatMap((reference): ClosureCheck[] => {
      const target = kept.find(({ table }) => sameTable(table, reference.target));
      if (target === undefined || target.where === null || reference.onMissing !== "error") return [];
      const { constraint, columns, targetColumns, place } = reference;
      return [{ constraint, target, reference: { from, columns, targetColumns, place } }];
    });
  });
}

/** One line for each reference of a table by which kept rows point at rows that are not kept, with the rule that mends it. */
export function closureLines({ table, unkept = [] }: TableFacts, catalog: Catalog, keep: KeepRules): string[] {
  const checks = closureChecks(catalog, keep).filter(({ reference }) => sameTable(reference.from.table, table));
  return unkept.flatMap((found) => {
    const check = checks.find(({ constraint }) => constraint === found.constraint);
    return check === undefined ? [] : [closureLine(check, found)];
  });
}

function closureLine({ target, reference }: ClosureCheck, { constraint, rows }: UnkeptReference): string {
  const { from, columns, targetColumns, place } = reference;
  const path = [...columns, ...(place?.path ?? [])].join(".");
  const where = `${rows} ${rows === 1 ? "row points" : "rows point"} at ${tableLabel(target.table)} that are not kept (${place === null ? columns.join(", ") : path})`;
  if (place !== null) return `${where}; give the reference ${path} an onMissing: "drop-row"`;
  const given = tuple(columns);
  const among = `${given} in (select ${targetColumns.map(pasted).join(", ")} from ${qualified(target)} where ${target.where})`;
  const nullable = from.table.columns.filter(({ name, notNull }) => columns.includes(name) && !notNull);
  const condition =
    nullable.length === 0
      ? among
      : `(${nullable.map(({ name }) => `${pasted(name)} is null`).join(" or ")} or ${among})`;
  const twice = from.table.foreignKeys.filter((key) => key.columns[0] === columns[0]).length > 1;
  const name = twice ? constraint : (columns[0] ?? constraint);
  return `${where}; add to its rule: ${condition}, or say onMissing: { ${pasted(name)}: "drop-row" }`;
}

function tuple(columns: readonly string[]): string {
  return columns.length === 1 ? columns.map(pasted).join("") : `(${columns.map(pasted).join(", ")})`;
}

function qualified({ table }: RowSelection): string {
  return table.schema === "public" ? pasted(table.name) : `${pasted(table.schema)}.${pasted(table.name)}`;
}

/** A name as SQL and TypeScript both take it. */
function pasted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
