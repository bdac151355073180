import type { BackupEntry } from "../model/backup.ts";
import type { CarryColumn, CarryTable, ValueRule } from "../model/carry.ts";
import type { Column, Table } from "../model/catalog.ts";
import { sameTable } from "../model/catalog.ts";
import type { ColumnRule, KeepRule } from "../model/keep.ts";

/** What becomes of the columns of one part in the new table. */
export type ColumnsPlan = Pick<
  CarryTable,
  "columns" | "droppedColumns" | "defaultedColumns" | "suggestions" | "rung" | "why"
>;

/** Columns by name, or as the rules say. See `CarryTable.columns` for the order. */
export function planColumns(entry: BackupEntry, table: Table, rules: NonNullable<KeepRule["columns"]>): ColumnsPlan {
  const sourced = entry.columns.map((name) => fromSource(entry, table, { name, rules }));
  const made = table.columns.flatMap((target) => {
    if (target.generated || sourced.some((column) => column?.target === target)) return [];
    const value = valueRule(rules[target.name]);
    return value === null ? [] : [{ source: null, target, mode: "cast", rule: value } satisfies CarryColumn];
  });
  const columns = [...sourced, ...made];
  const taken = new Set(columns.map((column) => column?.target.name));
  const droppedColumns = entry.columns.filter(
    (name, index) => sourced[index] === null && rules[name]?.drop !== true && !isGenerated(table, name),
  );
  const defaultedColumns = table.columns
    .filter((column) => !column.generated && !taken.has(column.name))
    .map((column) => ({ name: column.name, value: column.default ?? "NULL" }));
  const same =
    columns.every((column) => column?.mode === "same" && column.source === column.target.name) &&
    defaultedColumns.length === 0;
  return {
    columns,
    droppedColumns,
    defaultedColumns,
    suggestions: suggestRenames(entry, table, { droppedColumns, defaultedColumns }),
    ...(same && sameTable(entry.table, table)
      ? { rung: "straight", why: "the columns and their types are the same" }
      : { rung: "map", why: "columns go by name and by rule" }),
  };
}

/** A new column that no old row can fill, in words; null when there is none. */
export function blockingColumn({ columns }: ColumnsPlan, table: Table): string | null {
  const taken = new Set(columns.map((column) => column?.target.name));
  const missing = table.columns.find(
    (column) =>
      column.notNull &&
      column.default === null &&
      column.identity === "none" &&
      !column.generated &&
      !taken.has(column.name),
  );
  if (missing === undefined) return null;
  return `column "${missing.name}" is new, NOT NULL and has no default; a rule can fill it: columns: { ${missing.name}: { fill: "..." } }`;
}

function fromSource(
  entry: BackupEntry,
  table: Table,
  { name, rules }: { name: string; rules: Readonly<Record<string, ColumnRule>> },
): CarryColumn | null {
  if (rules[name]?.drop === true) return null;
  const renamed = Object.keys(rules).find((column) => rules[column]?.rename === name);
  const own = rules[name]?.rename;
  // A column of the old name that takes its values from elsewhere is another column.
  const target = renamed ?? (own === undefined || !entry.columns.includes(own) ? name : null);
  const to = table.columns.find((column) => column.name === target);
  if (to === undefined || to.generated) return null;
  const rule = valueRule(rules[to.name]);
  const from = entry.table.columns.find((column) => column.name === name);
  return {
    source: name,
    target: to,
    mode: rule === null && from !== undefined && fits(from, to) ? "same" : "cast",
    rule,
  };
}

function valueRule(rule: ColumnRule | undefined): ValueRule | null {
  if (rule === undefined) return null;
  const { convert, fill, map } = rule;
  if (convert === undefined && fill === undefined && map === undefined) return null;
  return {
    ...(convert === undefined ? {} : { convert }),
    ...(fill === undefined ? {} : { fill }),
    ...(map === undefined ? {} : { map }),
  };
}

function isGenerated(table: Table, name: string): boolean {
  return table.columns.some((column) => column.name === name && column.generated);
}

/** Equal types; an enum may have gained labels. */
function fits(from: Column, to: Column): boolean {
  if (from.type !== to.type) return false;
  if (from.enumLabels === null || to.enumLabels === null) return from.enumLabels === to.enumLabels;
  const labels = new Set(to.enumLabels);
  return from.enumLabels.every((label) => labels.has(label));
}

/** One column of a type has gone and one has come: perhaps they are one. Only a rule says so. */
function suggestRenames(
  entry: BackupEntry,
  table: Table,
  { droppedColumns, defaultedColumns }: Pick<CarryTable, "droppedColumns" | "defaultedColumns">,
): string[] {
  const typeIn = (of: Table, name: string): string | undefined =>
    of.columns.find((column) => column.name === name)?.type;
  return droppedColumns.flatMap((old) => {
    const type = typeIn(entry.table, old);
    const gone = droppedColumns.filter((name) => typeIn(entry.table, name) === type);
    const [come, ...more] = defaultedColumns.filter(({ name }) => typeIn(table, name) === type);
    if (gone.length !== 1 || come === undefined || more.length > 0) return [];
    return [`was ${old} renamed to ${come.name}? If so: columns: { ${come.name}: { rename: "${old}" } }`];
  });
}
