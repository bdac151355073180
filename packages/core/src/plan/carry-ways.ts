import type { CarryPlan, CarryTable, CarryWay, MigratedRows } from "../model/carry.ts";
import { sameTable, tableLabel } from "../model/catalog.ts";
import type { AcceptedLoss } from "../model/report.ts";
import type { Harvest, HarvestedTable } from "../ports/rows.ts";
import type { Route } from "./ladder.ts";

/** For each table that is carried: the rung of the ladder, why it is that one, and what it does to the columns. */
export function describeWays(
  plan: CarryPlan,
  { route, harvest }: { route: Route; harvest: Harvest | null },
): CarryWay[] {
  return plan.tables.map((table): CarryWay => {
    const migrated = harvest?.tables.find((candidate) => sameTable(candidate.table, table.table)) ?? null;
    return {
      table: tableLabel(table.table),
      from: harvest !== null && migrated?.entry === null ? null : tableLabel(table.source),
      rung: harvest === null ? table.rung : "replay",
      why: whyOf(table, { route, replayed: harvest !== null }),
      droppedColumns: table.droppedColumns,
      defaultedColumns: table.defaultedColumns,
      ruledColumns: table.columns.flatMap((column) => (column?.rule == null ? [] : [column.target.name])),
      suggestions: table.suggestions,
      migrated: migrated === null ? null : rowsOf(migrated),
    };
  });
}

function whyOf(table: CarryTable, { route, replayed }: { route: Route; replayed: boolean }): string {
  if (replayed) return route.why;
  return table.rung === "straight" ? table.why : `${route.why}; ${table.why}`;
}

function rowsOf({ loaded, survived, removed, removedRows, added, own }: HarvestedTable): MigratedRows {
  return { loaded, survived, removed, removedRows, added, own };
}

/**
 * Rows that went with a table which migrations dropped. Where migrations made at least as many rows of kept ones in tables that are
 * kept, they moved them there.
 */
export function droppedRows(harvest: Harvest | null): AcceptedLoss[] {
  if (harvest === null) return [];
  const gone = harvest.gone.filter(({ rows }) => rows > 0);
  const lost = gone.reduce((total, { rows }) => total + rows, 0);
  const made = harvest.tables.reduce((total, { added }) => total + added, 0);
  if (made >= lost) return [];
  return gone.map(({ table, rows }) => ({
    table: tableLabel(table),
    rows,
    reason: "pending migrations drop the table and put its rows nowhere that is kept",
  }));
}

/** What a person has to know of rows that migrations took along or away; one line each. */
export function harvestWarnings(harvest: Harvest | null): string[] {
  if (harvest === null) return [];
  const rows = (count: number): string => (count === 1 ? "1 row" : `${count} rows`);
  return [
    ...harvest.tables
      .filter(({ removed }) => removed > 0)
      .map(({ table, removed }) => `pending migrations deleted ${rows(removed)} of ${tableLabel(table)}`),
    ...(droppedRows(harvest).length > 0 ? [] : harvest.gone)
      .filter((gone) => gone.rows > 0)
      .map(
        (gone) => `pending migrations moved ${rows(gone.rows)} of ${tableLabel(gone.table)} elsewhere and dropped it`,
      ),
    ...harvest.unkept.map(
      (unkept) =>
        `pending migrations made ${rows(unkept.rows)} of kept ones in ${tableLabel(unkept.table)}, which no rule keeps: they stay behind`,
    ),
  ];
}
