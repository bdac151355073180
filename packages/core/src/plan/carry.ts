import type { BackupEntry, RecordedSequence } from "../model/backup.ts";
import type {
  CarryColumn,
  CarryPlan,
  CarryReference,
  CarryTable,
  ContextTable,
  NaturalKeyColumn,
} from "../model/carry.ts";
import type { Catalog, Column, ForeignKey, Table } from "../model/catalog.ts";
import { findTable, sameTable } from "../model/catalog.ts";
import type { KeepRule, KeepRules } from "../model/keep.ts";
import { keepRuleOf } from "./backup.ts";
import { identityColumns, naturalKey, naturalKeys, referenceOf } from "./natural-key.ts";
import { dependencyOrder } from "./order.ts";

const defaultRule: KeepRule = { where: null, onConflict: "kept", onMissing: {} };

/**
 * How the rows of a backup go into a database of this catalog: columns by name, references by meaning, merges by unique key.
 * What cannot go anywhere as a whole is named here; single rows that do not fit are found by the load.
 */
export function planCarry(
  entries: readonly BackupEntry[],
  target: Catalog,
  keep: KeepRules,
  sequences: readonly RecordedSequence[] = [],
): CarryPlan {
  const context = planContext(entries, target);
  const kept = entries.filter((entry) => entry.role === "kept");
  const tables: CarryTable[] = [];
  const impossible: CarryPlan["impossible"][number][] = [];
  for (const entry of kept) {
    const table = findTable(target, entry.table);
    const reason =
      table === undefined
        ? "the new schema has no such table"
        : (blockingColumn(entry, table) ?? binaryObstacle(entry, table));
    if (table === undefined || reason !== null) {
      if (entry.rows > 0) impossible.push({ table: entry.table, rows: entry.rows, reason: reason ?? "" });
      continue;
    }
    tables.push(planTable(entry, table, { kept, context, rule: keepRuleOf(table, keep) ?? defaultRule }));
  }
  const ordered = dependencyOrder(tables, (table) =>
    table.references.flatMap((reference) => tables.filter((other) => sameTable(other.table, reference.target))),
  );
  return {
    tables: ordered,
    context,
    sequences: sequences.filter((sequence) => tables.some(({ table }) => sameTable(table, sequence.table))),
    impossible,
  };
}

function planTable(
  entry: BackupEntry,
  table: Table,
  { kept, context, rule }: { kept: readonly BackupEntry[]; context: readonly ContextTable[]; rule: KeepRule },
): CarryTable {
  const columns = entry.columns.map((name) => carryColumn(entry.table, table, name));
  const carried = new Set(columns.flatMap((column) => (column === null ? [] : [column.target.name])));
  const identity = identityColumns(table);
  return {
    table,
    entry: entry.id,
    copy: entry.copy,
    rows: entry.rows,
    digest: entry.digest,
    columns,
    sourceColumns: entry.columns,
    droppedColumns: entry.columns.filter((name) => !table.columns.some((column) => column.name === name)),
    defaultedColumns: table.columns
      .filter((column) => !column.generated && !carried.has(column.name))
      .map((column) => ({ name: column.name, value: column.default ?? "NULL" })),
    identity: identity !== null && identity.every((name) => carried.has(name)) ? identity : null,
    uniqueKeys: table.keys.filter((key) => key.columns.every((name) => carried.has(name))).map((key) => key.columns),
    onConflict: rule.onConflict,
    references: table.foreignKeys
      .filter((key) => key.columns.every((name) => carried.has(name)))
      .map((key) => planReference(key, { kept, context, rule })),
  };
}

function carryColumn(source: Table, target: Table, name: string): CarryColumn | null {
  const to = target.columns.find((column) => column.name === name);
  if (to === undefined || to.generated) return null;
  const from = source.columns.find((column) => column.name === name);
  return { source: name, target: to, mode: from !== undefined && fits(from, to) ? "same" : "cast" };
}

/** Equal types; an enum may have gained labels. */
function fits(from: Column, to: Column): boolean {
  if (from.type !== to.type) return false;
  if (from.enumLabels === null || to.enumLabels === null) return from.enumLabels === to.enumLabels;
  const labels = new Set(to.enumLabels);
  return from.enumLabels.every((label) => labels.has(label));
}

/** A new column that no old row can fill. */
function blockingColumn(entry: BackupEntry, table: Table): string | null {
  const missing = table.columns.find(
    (column) =>
      column.notNull &&
      column.default === null &&
      column.identity === "none" &&
      !column.generated &&
      !entry.columns.includes(column.name),
  );
  return missing === undefined ? null : `column "${missing.name}" is new, NOT NULL and has no default`;
}

/** Binary rows cannot be cast on their way, and none of their columns can be left out. */
function binaryObstacle(entry: BackupEntry, table: Table): string | null {
  if (entry.copy === "text") return null;
  const changed = entry.columns.find((name) => carryColumn(entry.table, table, name)?.mode !== "same");
  return changed === undefined
    ? null
    : `its rows are in binary form, which fits equal columns only, and "${changed}" is not what it was`;
}

function planReference(
  key: ForeignKey,
  { kept, context, rule }: { kept: readonly BackupEntry[]; context: readonly ContextTable[]; rule: KeepRule },
): CarryReference {
  const onMissing = rule.onMissing[key.name] ?? rule.onMissing[key.columns[0] ?? ""] ?? "error";
  const byKey = context.some((table) => sameTable(table.table, key.target));
  const byKept = kept.some((entry) => sameTable(entry.table, key.target));
  return {
    constraint: key.name,
    columns: key.columns,
    target: key.target,
    targetColumns: key.targetColumns,
    by: byKey ? "natural-key" : byKept ? "kept" : "same-id",
    onMissing,
  };
}

/** Context tables whose natural key the new schema still has, in the order in which keys can be translated. */
function planContext(entries: readonly BackupEntry[], target: Catalog): ContextTable[] {
  const tables = entries.flatMap((entry): ContextTable[] => {
    if (entry.role !== "context") return [];
    const table = findTable(target, entry.table);
    if (table === undefined) return [];
    // A key that came with the new schema says nothing about old rows; the old choice is best, its own references were followed.
    const before = naturalKey(entry.table)?.join("\0");
    const usable = naturalKeys(table).filter((key) => key.every((name) => entry.columns.includes(name)));
    const key = usable.find((columns) => columns.join("\0") === before) ?? usable[0];
    if (key === undefined) return [];
    return [
      {
        table,
        entry: entry.id,
        rows: entry.rows,
        sourceColumns: entry.columns,
        naturalKey: key.map((name) => naturalKeyColumn(table, name)),
      },
    ];
  });
  return dependencyOrder(tables, (table) =>
    table.naturalKey.flatMap(({ via }) =>
      via === null ? [] : tables.filter((other) => sameTable(other.table, via.target)),
    ),
  );
}

function naturalKeyColumn(table: Table, name: string): NaturalKeyColumn {
  const reference = referenceOf(table, name);
  const targetColumn = reference?.targetColumns[0];
  return {
    name,
    via: reference === null || targetColumn === undefined ? null : { target: reference.target, targetColumn },
  };
}
