import { ReplantError } from "../errors.ts";
import type { BackupEntry, RecordedRule } from "../model/backup.ts";
import type { RowSelection, ReferencedBy } from "../model/carry.ts";
import type { Skeleton } from "../model/identity.ts";
import type { Catalog, Table, TableName } from "../model/catalog.ts";
import { findTable, findTableByLabel, tableLabel } from "../model/catalog.ts";
import type { KeepRules, NaturalKeys } from "../model/keep.ts";
import { naturalKey, referenceOf } from "./natural-key.ts";
import type { Reference } from "./references.ts";
import { namesInOnMissing, referencesOf } from "./references.ts";

interface OpenContext extends RowSelection {
  readonly referencedBy: ReferencedBy[];
}

/**
 * Which rows a backup of the kept rows reads: what each keep rule selects, and the context rows that those point at, followed
 * through natural keys that are references themselves. Rules for what this database does not have select nothing.
 * Kept selections come first, in the catalog's order; the result depends on nothing but its input.
 * @throws ReplantError REPLANT_COLUMN_UNSUPPORTED
 */
export function planBackup(catalog: Catalog, keep: KeepRules, declared: NaturalKeys = {}): RowSelection[] {
  const kept = keptSelections(catalog, keep);
  assertSelfContained(kept);
  const context = new Map<string, OpenContext>();

  const require = (
    from: RowSelection,
    key: Pick<Reference, "columns" | "target" | "targetColumns" | "place">,
    path: readonly TableName[],
  ): void => {
    const target = findTable(catalog, key.target);
    if (target === undefined) return;
    const keptTarget = kept.find((selection) => selection.table === target) ?? null;
    // Every row of the target is kept: whatever is referenced is there.
    if (keptTarget !== null && keptTarget.where === null) return;
    const selection = contextOf(context, target, keptTarget);
    selection.referencedBy.push({
      from,
      columns: key.columns,
      targetColumns: key.targetColumns,
      place: key.place,
    });
    if (selection.referencedBy.length > 1) return;
    for (const column of naturalKey(target, declared) ?? []) {
      const via = referenceOf(target, column);
      if (via !== null && !path.some((name) => tableLabel(name) === tableLabel(via.target))) {
        require(selection, { ...via, place: null }, [...path, target]);
      }
    }
  };

  for (const selection of kept) {
    const rule = rowsRuleOf(selection.table, { keep, catalog }) ?? wholeTable;
    for (const key of referencesOf(selection.table, catalog, rule).references) require(selection, key, [key.target]);
  }
  return [...kept, ...[...context.values()].sort((a, b) => (tableLabel(a.table) < tableLabel(b.table) ? -1 : 1))];
}

/** The same selections without what names people. */
export function skeletonOf(selections: readonly RowSelection[], { masked, only }: Skeleton): RowSelection[] {
  return selections.map((selection) => {
    const label = tableLabel(selection.table);
    const mask = Object.hasOwn(masked, label) ? masked[label] : undefined;
    const condition = Object.hasOwn(only, label) ? only[label] : undefined;
    return {
      ...selection,
      ...(mask === undefined ? {} : { masked: mask }),
      ...(condition === undefined ? {} : { where: bothOf(selection.where, condition) }),
    };
  });
}

/** Both conditions are somebody's SQL, which may end in a comment. */
function bothOf(where: string | null, condition: string): string {
  return where === null ? condition : `(${where}\n) and (${condition}\n)`;
}

/** What each keep rule selects, in the catalog's order. */
export function keptSelections(catalog: Catalog, keep: KeepRules): RowSelection[] {
  return catalog.tables.flatMap((table): RowSelection[] => {
    const rule = rowsRuleOf(table, { keep, catalog });
    return rule === null ? [] : [{ table, role: "kept", where: rule.where, referencedBy: [], exclude: null }];
  });
}

/** Refuses columns of the type `lo`: what they stand for is not in the table, and would be gone without a word. */
function assertSelfContained(kept: readonly RowSelection[]): void {
  const columns = kept.flatMap(({ table }) =>
    table.columns
      .filter(({ baseType }) => /^(.*\.)?lo$/.test(baseType))
      .map(({ name, type }) => `${tableLabel(table)}.${name} is ${type}`),
  );
  if (columns.length === 0) return;
  throw new ReplantError(
    "REPLANT_COLUMN_UNSUPPORTED",
    "kept rows hold large objects, which stand outside of their table",
    {
      items: columns,
      state: "nothing was touched",
      hint: "keep the bytes in a bytea column, or take the table out of keep",
    },
  );
}

/** Columns of kept tables by which rows may mean large objects. */
export function largeObjectColumns(catalog: Catalog, keep: KeepRules): string[] {
  return keptSelections(catalog, keep).flatMap(({ table }) =>
    table.columns.filter(({ baseType }) => baseType === "oid").map(({ name }) => `${tableLabel(table)}.${name}`),
  );
}

/** What a backup holds: the rows that a reset keeps, every row, or every row of some tables. */
export type BackupScope =
  | { readonly kind: "keep" }
  | { readonly kind: "all" }
  | { readonly kind: "tables"; readonly tables: readonly string[] };

/**
 * The keep rules by which a backup of this scope is made. Whole tables are kept with the rule that the project has for them, but
 * for its condition.
 * @throws ReplantError REPLANT_TABLE_UNKNOWN listing the tables that there are
 */
export function backupRules(catalog: Catalog, keep: KeepRules, scope: BackupScope): KeepRules {
  if (scope.kind === "keep") return keep;
  const tables = scope.kind === "all" ? catalog.tables : scope.tables.map((label) => knownTable(catalog, label));
  return Object.fromEntries(
    tables.map((table) => [tableLabel(table), { ...(keepRuleOf(table, keep) ?? wholeTable), where: null }]),
  );
}

/** The rules as a backup records them. */
export function recordedRules(keep: KeepRules): Record<string, RecordedRule> {
  return Object.fromEntries(
    Object.entries(keep).map(([label, { where, onConflict, onMissing }]) => [
      label,
      {
        where,
        onConflict,
        onMissing: Object.fromEntries(
          Object.entries(onMissing).map(([name, rule]) => [name, typeof rule === "string" ? rule : ("error" as const)]),
        ),
      },
    ]),
  );
}

const wholeTable: KeepRules[string] = { where: null, onConflict: "kept", onMissing: {} };

/**
 * The rules by which a backup is restored: the project's own, and for tables of which it says nothing those that were in force
 * when the backup was made. A recorded condition is not among them: it selected the rows already; nor is what names a foreign key
 * that the target has not any more.
 */
export function restoreRules(
  entries: readonly BackupEntry[],
  target: Catalog,
  { own, recorded }: { own: KeepRules; recorded: KeepRules },
): KeepRules {
  const others = entries.flatMap(({ role, table }) => {
    const rule = role === "kept" && keepRuleOf(table, own) === null ? keepRuleOf(table, recorded) : null;
    if (rule === null) return [];
    const to = findTable(target, table);
    const names = to === undefined ? [] : namesInOnMissing(to);
    const onMissing = Object.fromEntries(Object.entries(rule.onMissing).filter(([name]) => names.includes(name)));
    return [[tableLabel(table), { ...rule, where: null, onMissing }] as const];
  });
  return { ...own, ...Object.fromEntries(others) };
}

/**
 * The table that a person means.
 * @throws ReplantError REPLANT_TABLE_UNKNOWN listing the tables that there are
 */
export function knownTable(catalog: Catalog, label: string): Table {
  const table = findTableByLabel(catalog, label);
  if (table !== undefined) return table;
  throw new ReplantError("REPLANT_TABLE_UNKNOWN", `there is no table ${JSON.stringify(label.slice(0, 200))}`, {
    why: "a table is named as in `users`, or with its schema as in `billing.invoices`",
    state: "nothing was written",
    hint: "name one of those that are listed",
    items: catalog.tables.map((known) => tableLabel(known)),
  });
}

/** The rule for a table, by its label or its full name; null when its rows are not kept. */
export function keepRuleOf(table: TableName, keep: KeepRules): KeepRules[string] | null {
  return keep[tableLabel(table)] ?? keep[`${table.schema}.${table.name}`] ?? null;
}

/** The same in a database that may be older than the rules: a table may still have its old name there. */
export function rowsRuleOf(
  table: TableName,
  { keep, catalog }: { keep: KeepRules; catalog: Catalog },
): KeepRules[string] | null {
  const own = keepRuleOf(table, keep);
  if (own !== null) return own;
  const renamed = Object.entries(keep).find(([, rule]) => isNamed(table, rule.renamedFrom));
  return renamed === undefined || findTableByLabel(catalog, renamed[0]) !== undefined ? null : renamed[1];
}

/** True when a person means this table by what they wrote. */
export function isNamed(table: TableName, label: string | undefined): boolean {
  return label === tableLabel(table) || label === `${table.schema}.${table.name}`;
}

/** Labels in the rules that none of the catalogs has, under an old name neither. */
export function unknownKeepTables(keep: KeepRules, catalogs: readonly Catalog[]): string[] {
  const isThere = (label: string | undefined): boolean =>
    label !== undefined && catalogs.some((catalog) => findTableByLabel(catalog, label) !== undefined);
  return Object.entries(keep).flatMap(([label, { renamedFrom, optional }]) =>
    optional === true || isThere(label) || isThere(renamedFrom) ? [] : [label],
  );
}

function contextOf(context: Map<string, OpenContext>, table: Table, kept: RowSelection | null): OpenContext {
  const label = tableLabel(table);
  const existing = context.get(label);
  if (existing !== undefined) return existing;
  const created: OpenContext = {
    table,
    role: "context",
    where: null,
    referencedBy: [],
    exclude: kept === null ? null : { where: kept.where },
  };
  context.set(label, created);
  return created;
}
