import type { ReferencePlace, SeedKeyColumn } from "../model/carry.ts";
import type { Catalog, Table, TableName } from "../model/catalog.ts";
import { findTable, findTableByLabel, tableLabel } from "../model/catalog.ts";
import type { KeepRule, NaturalKeys, OnMissing, ReferenceRule } from "../model/keep.ts";
import { declaredKey, naturalKeys, referenceOf } from "./natural-key.ts";

/** What rows of a table point at, because a foreign key or a rule says so. */
export interface Reference {
  readonly constraint: string;
  readonly columns: readonly string[];
  readonly target: TableName;
  readonly targetColumns: readonly string[];
  readonly onMissing: OnMissing;
  readonly place: ReferencePlace | null;
}

export interface References {
  readonly references: readonly Reference[];
  /** One line for each rule that does not fit the tables. */
  readonly problems: readonly string[];
}

/** The references of a table: its foreign keys, then the rules of the configuration that fit this catalog. */
export function referencesOf(table: Table, catalog: Catalog, rule: KeepRule): References {
  const references = table.foreignKeys.map((key): Reference => ({
    constraint: key.name,
    columns: key.columns,
    target: key.target,
    targetColumns: key.targetColumns,
    onMissing: rule.onMissing[key.name] ?? rule.onMissing[key.columns[0] ?? ""] ?? "error",
    place: null,
  }));
  const problems = unknownReferences(table, rule);
  for (const given of rule.references ?? []) {
    const found = ruleReference(given, { table, catalog, others: rule.references ?? [] });
    if (typeof found === "string") problems.push(`${tableLabel(table)}: reference ${given.path.join(".")}: ${found}`);
    else references.push(found);
  }
  return { references, problems };
}

/** What `onMissing` may name: the foreign keys of the table, by their first column or their own name. */
export function namesInOnMissing(table: Table): string[] {
  return [...new Set(table.foreignKeys.flatMap(({ name, columns: [first = name] }) => [first, name]))];
}

function unknownReferences(table: Table, { onMissing }: KeepRule): string[] {
  const known = namesInOnMissing(table);
  const allowed = known.length === 0 ? "the table has no foreign key" : `known are ${known.join(", ")}`;
  return Object.keys(onMissing)
    .filter((name) => !known.includes(name))
    .map((name) => `${tableLabel(table)}: onMissing names ${name}, which is no foreign key: ${allowed}`);
}

function ruleReference(
  { path, table: label, column, when, onMissing }: ReferenceRule,
  { table, catalog, others }: { table: Table; catalog: Catalog; others: readonly ReferenceRule[] },
): Reference | string {
  const [name = "", ...keys] = path;
  const own = table.columns.find((candidate) => candidate.name === name);
  if (own === undefined) return `there is no column ${name}`;
  if (own.generated) return `the column ${name} is generated`;
  if (keys.length > 0 && own.baseType !== "json" && own.baseType !== "jsonb") {
    return `the column ${name} is ${own.type}, and only json has a path`;
  }
  const target = findTableByLabel(catalog, label);
  if (target === undefined) return `there is no table ${label}`;
  const meant = column ?? onlyColumn(target.keys.find((key) => key.primary)?.columns);
  if (meant === null) return `the primary key of ${label} has not exactly one column; say which column is meant`;
  if (!target.columns.some((candidate) => candidate.name === meant)) return `${label} has no column ${meant}`;
  const text = path.join(".");
  const twice = others.filter((other) => other.path.join(".") === text).length > 1;
  return {
    constraint: twice ? `rule:${text} (${label})` : `rule:${text}`,
    columns: [name],
    target: { schema: target.schema, name: target.name },
    targetColumns: [meant],
    onMissing,
    place: { path: keys, when },
  };
}

function onlyColumn(columns: readonly string[] | undefined): string | null {
  return columns?.length === 1 ? (columns[0] ?? null) : null;
}

/**
 * The seeded row that the rule `{ seed }` means, by the natural key that has its columns; a line that says what is wrong where
 * there is none. A column that is a reference itself is given as the natural key of what it means, where that has one column.
 */
export function seedKey(
  { target: name, onMissing }: Pick<Reference, "target" | "onMissing">,
  { catalog, declared }: { catalog: Catalog; declared: NaturalKeys },
): readonly SeedKeyColumn[] | string | null {
  if (typeof onMissing === "string") return null;
  const label = tableLabel(name);
  const target = findTable(catalog, name);
  const keys = target === undefined ? [] : naturalKeys(target, declared);
  if (target === undefined || keys.length === 0) {
    return `${label} has no natural key to find a seeded row by; declare one: naturalKeys: { ${JSON.stringify(label)}: [...] }`;
  }
  const { seed } = onMissing;
  const wanted = typeof seed === "string" ? null : Object.keys(seed).toSorted().join("\0");
  const key = keys.find((columns) =>
    wanted === null ? columns.length === 1 : columns.toSorted().join("\0") === wanted,
  );
  if (key === undefined) {
    const known = keys.map((columns) => `(${columns.join(", ")})`).join(" or ");
    return `the seeded row of ${label} must be given by its natural key ${known}`;
  }
  return key.map((column) => ({
    name: column,
    value: typeof seed === "string" ? seed : (seed[column] ?? ""),
    via: seedVia(target, column, { catalog, declared }),
  }));
}

function seedVia(
  table: Table,
  column: string,
  { catalog, declared }: { catalog: Catalog; declared: NaturalKeys },
): SeedKeyColumn["via"] {
  const reference = referenceOf(table, column);
  const target = reference === null ? undefined : findTable(catalog, reference.target);
  const targetColumn = onlyColumn(reference?.targetColumns);
  if (target === undefined || targetColumn === null) return null;
  const key = naturalKeys(target, declared).find((columns) => columns.length === 1)?.[0];
  return key === undefined ? null : { target: { schema: target.schema, name: target.name }, targetColumn, key };
}

/** One line for each declared natural key that none of the tables fits. */
export function naturalKeyProblems(declared: NaturalKeys, catalogs: readonly Catalog[]): string[] {
  return Object.entries(declared).flatMap(([label, columns]) => {
    const tables = catalogs.flatMap((catalog) => findTableByLabel(catalog, label) ?? []);
    if (tables.length === 0) return [`naturalKeys: there is no table ${label}`];
    if (tables.some((table) => declaredKey(table, declared) !== null)) return [];
    return [`naturalKeys: ${label} has not all of the columns ${columns.join(", ")}`];
  });
}
