import { tableLabel } from "@replant/core";
import { expect } from "vitest";
import type { Carried } from "../shared/harness.ts";
import type { Expected, KeptTable, Rows } from "./oracle.ts";
import type { Row, TableModel } from "./schema.ts";

/** A table of the case, and its label in the backup where that is another. */
export type Named = Pick<TableModel, "key" | "schema" | "name"> & { readonly from?: string };

/** In the order of the load, which decides what a row that is wrong twice is refused for. */
export function inOrder(
  kept: readonly KeptTable[],
  tables: readonly Named[],
  { tables: loaded }: Carried["plan"],
): KeptTable[] {
  const place = ({ key }: KeptTable): number => {
    const named = tables.find((table) => table.key === key);
    return loaded.findIndex(({ table }) => named !== undefined && tableLabel(table) === tableLabel(named));
  };
  return kept.toSorted((a, b) => place(a) - place(b));
}

const absent = { carried: undefined, dropped: undefined, quarantined: undefined };

/** What became of each table's kept rows. */
export function expectCounts(
  tables: readonly Named[],
  { plan, outcome, expected }: Pick<Carried, "plan" | "outcome"> & { readonly expected: Expected },
): void {
  for (const { key, from, ...named } of tables) {
    const label = tableLabel(named);
    const lost = plan.impossible.find(({ table }) => tableLabel(table) === (from ?? label))?.rows ?? 0;
    expect([label, lost]).toEqual([label, expected.impossible.get(key) ?? 0]);
    const found = outcome.tables.find((item) => tableLabel(item.table) === label);
    const { carried, dropped, quarantined } = found ?? {};
    const reasons = outcome.quarantined.filter((item) => tableLabel(item.table) === label);
    expect({ label, carried, dropped, quarantined, reasons }).toEqual({
      label,
      ...absent,
      ...expected.counts.get(key),
      reasons,
    });
  }
}

const sorted = (rows: readonly Row[] | undefined, table: TableModel): string[] =>
  (rows ?? []).map((row) => JSON.stringify(table.columns.map(({ name }) => [name, row[name] ?? null]))).toSorted();

/** All rows of all tables, with each value. */
export function expectRows(tables: readonly TableModel[], { found, expected }: { found: Rows; expected: Rows }): void {
  for (const table of tables) {
    const label = tableLabel(table);
    expect([label, ...sorted(found.get(table.key), table)]).toEqual([label, ...sorted(expected.get(table.key), table)]);
  }
}
