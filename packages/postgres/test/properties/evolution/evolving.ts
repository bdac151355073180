import type { ColumnRule } from "@replant/core";
import { tableLabel } from "@replant/core";
import type { AskServer, KeptTable } from "../oracle.ts";
import type { CaseSpec } from "../spec.ts";
import type { ColumnModel, RefModel, Row, TableModel } from "../schema.ts";
import { ident, qualified } from "../schema.ts";

/*
 * Tables and their rows while migrations run over them, in plain objects: what each statement does to one row, and which rows it
 * cannot take.
 */

export interface EvolvingRow {
  values: Record<string, string | null>;
  /** The migrations' own: they insert it into any database. */
  readonly own: boolean;
  /** Kept, or pointed at by a kept row: it goes where the migrations run. */
  readonly there: boolean;
  /** Columns of which no value can be made. */
  readonly refused: Set<string>;
}

export interface EvolvingTable {
  model: TableModel;
  rows: EvolvingRow[];
  kept: KeptTable;
  readonly oldLabel: string;
  /** Columns that every kept table begins with, by their first name; with the name of today. */
  readonly slots: Map<string, string>;
  /** Names of today, of columns with hostile types. */
  payload: string[];
  /** Name in live by the name of today; columns that are new are absent. */
  readonly origins: Map<string, string>;
  /** What a person would write for the rung `map`, by the name of today; of dropped columns, by the old one. */
  readonly rules: Map<string, ColumnRule>;
  /** Slots whose values or constraints a step has changed; one change each keeps the rules short. */
  readonly touched: Set<string>;
  /** False for tables that migrations made of the rows of others. */
  readonly known: boolean;
  hasNewLabel: boolean;
  /** New columns that must have a value, and that nothing gives one. */
  readonly bare: Set<string>;
}

export interface Migration {
  readonly sql: string;
  /** The same where seeds are in the way of it. */
  readonly seeded: string;
}

export interface Failure {
  /** Place of the migration. */
  readonly at: number;
  readonly states: readonly string[];
  readonly offenders: readonly string[];
}

export interface Evolution {
  readonly seededTables: readonly TableModel[];
  tables: EvolvingTable[];
  readonly gone: { readonly table: EvolvingTable; readonly merged: boolean }[];
  readonly migrations: Migration[];
  /** The first migration that the rows do not let through. */
  failure: Failure | null;
  /** Kept rows that a migration deletes, by the table's key. */
  readonly removed: Map<string, number>;
  /** False once a step has happened that no keep rule can say. */
  ruled: boolean;
}

/** What a step works on. `true`: it happened. */
export interface Scope {
  readonly evolution: Evolution;
  readonly table: EvolvingTable;
  readonly way: number;
  readonly at: number;
  readonly ask: AskServer;
}

export type Step = (scope: Scope) => Promise<boolean> | boolean;

const slotNames = ["label", "num", "amount", "at", "tags", "mood", "moods", "doc"];

export function beginEvolution(
  base: CaseSpec,
  models: readonly TableModel[],
  live: ReadonlyMap<string, readonly Row[]>,
): Evolution {
  const tables = models.filter(({ key }) => key.startsWith("k"));
  const isKept = (model: TableModel, row: Row): boolean =>
    base.kept[Number(model.key.slice(1))]?.someOnly !== true || row["keep"] === "true";
  // Where nothing tells rows apart, those that are pointed at stay behind.
  const isContext = (model: TableModel, row: Row): boolean =>
    identity(model) !== null &&
    tables.some((from) =>
      from.refs
        .filter(({ target }) => target === model.key)
        .some((ref) => live.get(from.key)?.some((other) => isKept(from, other) && pointsAt(ref, other, row)) === true),
    );
  return {
    seededTables: models.filter(({ key }) => key.startsWith("s")),
    tables: tables.map((model) => {
      const { someOnly, onConflict } = base.kept[Number(model.key.slice(1))] ?? {
        someOnly: false,
        onConflict: "kept" as const,
      };
      return {
        model: { ...model, rows: [] },
        rows: (live.get(model.key) ?? []).map((row) => ({
          values: { ...row },
          own: false,
          there: isKept(model, row) || isContext(model, row),
          refused: new Set<string>(),
        })),
        kept: { key: model.key, someOnly, onConflict, positive: null, unique: null },
        oldLabel: tableLabel(model),
        slots: new Map(slotNames.map((name) => [name, name])),
        payload: model.columns.map(({ name }) => name).filter((name) => /_\d$/.test(name)),
        origins: new Map(model.columns.map(({ name }) => [name, name])),
        rules: new Map(),
        touched: new Set(),
        known: true,
        hasNewLabel: false,
        bare: new Set(),
      };
    }),
    gone: [],
    migrations: [],
    failure: null,
    removed: new Map(),
    ruled: true,
  };
}

function pointsAt(ref: RefModel, from: Row, to: Row): boolean {
  return ref.columns.every((name, i) => from[name] != null && from[name] === to[ref.targetColumns[i] ?? ""]);
}

/** Adds a migration: the statement's SQL, after the table's name. */
export function alter({ evolution, table }: Scope, clauses: string, seeded = clauses): void {
  const of = (text: string): string => `alter table ${qualified(table.model)} ${text}`;
  evolution.migrations.push({ sql: of(clauses), seeded: of(seeded) });
}

export const typeOf = (table: EvolvingTable, column: string): string =>
  table.model.columns.find(({ name }) => name === column)?.type ?? "";

export function addColumn(table: EvolvingTable, column: ColumnModel): void {
  table.model = { ...table.model, columns: [...table.model.columns, column] };
}

export function changeColumn(table: EvolvingTable, name: string, change: Partial<ColumnModel>): void {
  const columns = table.model.columns.map((column) => (column.name === name ? { ...column, ...change } : column));
  table.model = { ...table.model, columns };
}

/** Columns that point at nothing but this table's own row. */
export const isTarget = ({ tables }: Evolution, { model }: EvolvingTable): boolean =>
  tables.some((other) => other.model.refs.some(({ target }) => target === model.key));

/** Columns that tell one row from another; null where none do. */
function identity({ keys, columns }: TableModel): readonly string[] | null {
  const [first] = keys;
  const notNull = first?.every((name) => columns.some((column) => column.name === name && column.notNull)) === true;
  return first !== undefined && notNull ? first : null;
}

/** Notes that a migration stops at these rows, with the states that the server may give. */
export function failAt(
  scope: Scope,
  rows: readonly EvolvingRow[],
  { states, named }: { states: readonly string[]; named: boolean },
): void {
  const { evolution, table } = scope;
  const stopping = rows.filter(({ there }) => there);
  if (stopping.length === 0 || evolution.failure !== null) return;
  const key = identity(table.model);
  const offenders =
    !named || key === null
      ? []
      : stopping.map(
          ({ values }) => `${tableLabel(table.model)} ${key.map((name) => `${name}=${values[name]}`).join(", ")}`,
        );
  evolution.failure = { at: evolution.migrations.length - 1, states, offenders };
}

/** The rule for a column as far as steps have written it, and more of it. */
export function addRule(table: EvolvingTable, column: string, rule: ColumnRule): void {
  table.rules.set(column, { ...table.rules.get(column), ...rule });
}

/** An old name as SQL over the backup's columns; null for a column that the backup does not have. */
export const oldName = (table: EvolvingTable, column: string): string | null => {
  const name = table.origins.get(column);
  return name === undefined ? null : ident(name);
};
