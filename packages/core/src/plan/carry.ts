import type { BackupEntry, RecordedSequence } from "../model/backup.ts";
import type { CarryPlan, CarryReference, CarryTable, ContextTable, NaturalKeyColumn } from "../model/carry.ts";
import type { Catalog, ForeignKey, Table, TableName } from "../model/catalog.ts";
import { findTable, findTableByLabel, sameTable } from "../model/catalog.ts";
import type { KeepRule, KeepRules } from "../model/keep.ts";
import { isNamed, keepRuleOf } from "./backup.ts";
import type { ColumnsPlan } from "./carry-columns.ts";
import { blockingColumn, planColumns } from "./carry-columns.ts";
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
  const context = planContext(entries, target, keep);
  const kept = entries.filter((entry) => entry.role === "kept");
  const tables: CarryTable[] = [];
  const impossible: CarryPlan["impossible"][number][] = [];
  for (const entry of kept) {
    const table = targetTable(entry.table, target, keep);
    const rule = table === undefined ? defaultRule : (keepRuleOf(table, keep) ?? defaultRule);
    const columns = table === undefined ? null : planColumns(entry, table, rule);
    const reason =
      table === undefined || columns === null
        ? "the new schema has no such table"
        : (blockingColumn(columns, table) ?? binaryObstacle(entry, columns));
    if (table === undefined || columns === null || reason !== null) {
      if (entry.rows > 0) impossible.push({ table: entry.table, rows: entry.rows, reason: reason ?? "" });
      continue;
    }
    tables.push(planTable(entry, table, { columns, context, rule, kept: { entries: kept, target, keep } }));
  }
  const ordered = dependencyOrder(tables, (table) =>
    table.references.flatMap((reference) => tables.filter((other) => sameTable(other.table, reference.target))),
  );
  return {
    tables: ordered,
    context,
    sequences: sequences.filter((sequence) => tables.some(({ source }) => sameTable(source, sequence.table))),
    impossible,
  };
}

/** The table of the new schema that old rows belong into: the one whose rule says that it was called so, else the namesake. */
function targetTable(source: TableName, target: Catalog, keep: KeepRules): Table | undefined {
  const renamed = Object.keys(keep).find((label) => isNamed(source, keep[label]?.renamedFrom));
  return (renamed === undefined ? undefined : findTableByLabel(target, renamed)) ?? findTable(target, source);
}

function planTable(
  entry: BackupEntry,
  table: Table,
  {
    columns,
    context,
    rule,
    kept,
  }: { columns: ColumnsPlan; context: readonly ContextTable[]; rule: KeepRule; kept: KeptParts },
): CarryTable {
  const carried = new Set(columns.columns.flatMap((column) => (column === null ? [] : [column.target.name])));
  const identity = identityColumns(table);
  return {
    table,
    source: entry.table,
    entry: entry.id,
    copy: entry.copy,
    rows: entry.rows,
    digest: entry.digest,
    sourceColumns: entry.columns,
    ...columns,
    identity: identity !== null && identity.every((name) => carried.has(name)) ? identity : null,
    uniqueKeys: table.keys.filter((key) => key.columns.every((name) => carried.has(name))).map((key) => key.columns),
    onConflict: rule.onConflict,
    references: table.foreignKeys
      .filter((key) => key.columns.every((name) => carried.has(name)))
      .map((key) => planReference(key, { kept, context, rule })),
  };
}

interface KeptParts {
  readonly entries: readonly BackupEntry[];
  readonly target: Catalog;
  readonly keep: KeepRules;
}

/** Binary rows cannot be cast on their way, and none of their columns can be left out. */
function binaryObstacle(entry: BackupEntry, { columns }: ColumnsPlan): string | null {
  if (entry.copy === "text") return null;
  const changed = entry.columns.find((_, index) => columns[index]?.mode !== "same");
  return changed === undefined
    ? null
    : `its rows are in binary form, which fits equal columns only, and "${changed}" is not what it was`;
}

function planReference(
  key: ForeignKey,
  { kept, context, rule }: { kept: KeptParts; context: readonly ContextTable[]; rule: KeepRule },
): CarryReference {
  const onMissing = rule.onMissing[key.name] ?? rule.onMissing[key.columns[0] ?? ""] ?? "error";
  const byKey = context.some((table) => sameTable(table.table, key.target));
  const byKept = kept.entries.some((entry) => {
    const table = targetTable(entry.table, kept.target, kept.keep);
    return table !== undefined && sameTable(table, key.target);
  });
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
function planContext(entries: readonly BackupEntry[], target: Catalog, keep: KeepRules): ContextTable[] {
  const tables = entries.flatMap((entry): ContextTable[] => {
    if (entry.role !== "context") return [];
    const table = targetTable(entry.table, target, keep);
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
