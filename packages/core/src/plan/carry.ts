import { ReplantError } from "../errors.ts";
import type { BackupEntry, RecordedSequence } from "../model/backup.ts";
import type {
  CarryPlan,
  CarryReference,
  CarryRetry,
  CarryTable,
  ContextTable,
  NaturalKeyColumn,
} from "../model/carry.ts";
import type { Catalog, Table, TableName } from "../model/catalog.ts";
import { findTable, findTableByLabel, sameTable, tableLabel } from "../model/catalog.ts";
import type { KeepRule, KeepRules, NaturalKeys } from "../model/keep.ts";
import { isNamed, keepRuleOf } from "./backup.ts";
import type { ColumnsPlan } from "./carry-columns.ts";
import { blockingColumn, planColumns } from "./carry-columns.ts";
import { declaredKey, identityColumns, naturalKey, naturalKeys, referenceOf } from "./natural-key.ts";
import { dependencyOrder } from "./order.ts";
import type { Reference } from "./references.ts";
import { naturalKeyProblems, referencesOf, seedKey } from "./references.ts";

const defaultRule: KeepRule = { where: null, onConflict: "kept", onMissing: {} };

export interface CarryOptions {
  /** As the configuration declares them. */
  readonly naturalKeys?: NaturalKeys;
  /** How far the sequences of the backed-up tables had come. */
  readonly sequences?: readonly RecordedSequence[];
  readonly retry?: CarryRetry | null;
  /** Migrations ran over the rows: values are what they are to be, and rules for values of older rows say nothing of them. */
  readonly replayed?: boolean;
}

/**
 * How the rows of a backup go into a database of this catalog: columns by name, references by meaning, merges by unique key.
 * What cannot go anywhere as a whole is named here; single rows that do not fit are found by the load.
 * @throws ReplantError REPLANT_RULE_INVALID listing every rule that does not fit the tables
 */
export function planCarry(
  entries: readonly BackupEntry[],
  target: Catalog,
  keep: KeepRules,
  { naturalKeys: declared = {}, sequences = [], retry = null, replayed = false }: CarryOptions = {},
): CarryPlan {
  const context = planContext(entries, { target, keep, declared });
  const problems = naturalKeyProblems(declared, [target, { tables: entries.map(({ table }) => table) }]);
  const kept = entries.filter((entry) => entry.role === "kept");
  const tables: CarryTable[] = [];
  const impossible: CarryPlan["impossible"][number][] = [];
  for (const entry of kept) {
    const table = targetTable(entry.table, target, keep);
    const rule = table === undefined ? defaultRule : (keepRuleOf(table, keep) ?? defaultRule);
    const columns = table === undefined ? null : planColumns(entry, table, replayed ? {} : (rule.columns ?? {}));
    const reason =
      table === undefined || columns === null
        ? "the new schema has no such table"
        : (blockingColumn(columns, table) ?? binaryObstacle(entry, columns));
    if (table === undefined || columns === null || reason !== null) {
      if (entry.rows > 0) impossible.push({ table: entry.table, rows: entry.rows, reason: reason ?? "" });
      continue;
    }
    tables.push(
      planTable(entry, table, {
        columns,
        context,
        rule,
        declared,
        problems,
        target,
        kept: keptTables(kept, target, keep),
      }),
    );
  }
  assertRules(problems);
  const ordered = dependencyOrder(tables, (table) =>
    table.references.flatMap((reference) => tables.filter((other) => sameTable(other.table, reference.target))),
  );
  return {
    tables: ordered,
    context,
    sequences: sequences.filter((sequence) => tables.some(({ source }) => sameTable(source, sequence.table))),
    impossible,
    retry,
  };
}

/** The table of the new schema that old rows belong into: the one whose rule says that it was called so, else the namesake. */
function targetTable(source: TableName, target: Catalog, keep: KeepRules): Table | undefined {
  const renamed = Object.keys(keep).find((label) => isNamed(source, keep[label]?.renamedFrom));
  return (renamed === undefined ? undefined : findTableByLabel(target, renamed)) ?? findTable(target, source);
}

/** Tables of the new schema that rows are carried into. */
function keptTables(kept: readonly BackupEntry[], target: Catalog, keep: KeepRules): Table[] {
  return kept.flatMap((entry) => targetTable(entry.table, target, keep) ?? []);
}

function assertRules(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new ReplantError("REPLANT_RULE_INVALID", "rules do not fit the tables of the new database", {
    items: problems,
    state: "live was not changed",
    hint: "correct them in replant.config.ts",
  });
}

interface TableScope {
  readonly columns: ColumnsPlan;
  readonly kept: readonly Table[];
  readonly context: readonly ContextTable[];
  /** Of the new database. */
  readonly target: Catalog;
  readonly declared: NaturalKeys;
  readonly rule: KeepRule;
  /** What is found wrong is added here. */
  readonly problems: string[];
}

function planTable(entry: BackupEntry, table: Table, scope: TableScope): CarryTable {
  const { rule, columns } = scope;
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
    seedColumns: seedColumns(table, scope),
    references: planReferences(table, scope).filter(({ columns }) => columns.every((name) => carried.has(name))),
  };
}

/** Binary rows cannot be cast on their way, and none of their columns can be left out. */
function binaryObstacle(entry: BackupEntry, { columns }: ColumnsPlan): string | null {
  if (entry.copy === "text") return null;
  const changed = entry.columns.find((_, index) => columns[index]?.mode !== "same");
  return changed === undefined
    ? null
    : `its rows are in binary form, which fits equal columns only, and "${changed}" is not what it was`;
}

/** Columns that keep the seeded value. Those that rows are pointed at by cannot: references to the kept row would mean nobody. */
function seedColumns(table: Table, { rule, target, problems }: TableScope): string[] {
  const pointedAt = new Set([
    ...table.keys.filter(({ primary }) => primary).flatMap(({ columns }) => columns),
    ...target.tables.flatMap(({ foreignKeys }) =>
      foreignKeys.filter((key) => sameTable(key.target, table)).flatMap(({ targetColumns }) => targetColumns),
    ),
  ]);
  return Object.entries(rule.columns ?? {}).flatMap(([name, { from }]) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (from !== "seed" || column === undefined || column.generated) return [];
    if (!pointedAt.has(name)) return [name];
    problems.push(`${tableLabel(table)}: column ${name} cannot be from the seed, because rows are pointed at by it`);
    return [];
  });
}

function planReferences(
  table: Table,
  { kept, context, target, declared, rule, problems }: TableScope,
): CarryReference[] {
  const found = referencesOf(table, target, rule);
  problems.push(...found.problems);
  return found.references.map((reference) => {
    const seed = seedKey(reference, { catalog: target, declared });
    if (typeof seed === "string") problems.push(`${tableLabel(table)}: ${reference.constraint}: ${seed}`);
    return { ...reference, by: meansOf(reference, { kept, context }), seed: typeof seed === "string" ? null : seed };
  });
}

function meansOf(
  { target }: Reference,
  { kept, context }: { kept: readonly Table[]; context: readonly ContextTable[] },
): CarryReference["by"] {
  if (context.some(({ table }) => sameTable(table, target))) return "natural-key";
  return kept.some((table) => sameTable(table, target)) ? "kept" : "same-id";
}

/** Context tables whose natural key the new schema still has, in the order in which keys can be translated. */
function planContext(
  entries: readonly BackupEntry[],
  { target, keep, declared }: { target: Catalog; keep: KeepRules; declared: NaturalKeys },
): ContextTable[] {
  const tables = entries.flatMap((entry): ContextTable[] => {
    if (entry.role !== "context") return [];
    const table = targetTable(entry.table, target, keep);
    if (table === undefined) return [];
    // A key that came with the new schema says nothing about old rows; the old choice is best, its own references were followed.
    const before = naturalKey(entry.table, declared)?.join("\0");
    const usable = naturalKeys(table, declared).filter((key) => key.every((name) => entry.columns.includes(name)));
    const key = usable.find((columns) => columns.join("\0") === before) ?? usable[0];
    if (key === undefined) return [];
    return [
      {
        table,
        entry: entry.id,
        rows: entry.rows,
        sourceColumns: entry.columns,
        naturalKey: key.map((name) => naturalKeyColumn(table, name)),
        declared: key === declaredKey(table, declared),
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
    nullable: table.columns.some((column) => column.name === name && !column.notNull),
    via: reference === null || targetColumn === undefined ? null : { target: reference.target, targetColumn },
  };
}
