import type { BackupEntry } from "../model/backup.ts";
import type { CarryTable } from "../model/carry.ts";
import type { Catalog } from "../model/catalog.ts";
import { findTable, sameTable, tableLabel } from "../model/catalog.ts";
import type { StepKind } from "../model/events.ts";
import type { ResetFacts, ResetPlan, ResetRequest, TableFacts, TablePlan } from "../model/plan.ts";
import { ReplantError } from "../errors.ts";
import { largeObjectColumns, planBackup, rowsRuleOf, unknownKeepTables } from "./backup.ts";
import { hashOf } from "./canonical.ts";
import { planCarry } from "./carry.ts";
import { closureLines } from "./closure.ts";
import { idReferenceNotes } from "./id-references.ts";
import type { Route } from "./ladder.ts";
import { chooseRoute } from "./ladder.ts";

/**
 * What a reset will do, from facts alone. Deterministic: equal facts give the equal plan.
 * @throws ReplantError REPLANT_STRATEGY_UNAVAILABLE | REPLANT_TABLE_UNKNOWN | REPLANT_RULE_INVALID | REPLANT_COLUMN_UNSUPPORTED
 */
export function planReset(facts: ResetFacts, request: ResetRequest): ResetPlan {
  const { target } = facts;
  if (target.swapBlockers.length > 0) throw strategyUnavailable(target.swapBlockers);
  const route = resetRoute(facts, request);
  const warnings = [...checkKeepRules(facts, route), ...(request.mode === "smart" ? carryWarnings(facts) : [])];
  const tables = request.mode === "smart" ? planTables(facts, route) : forceTables(facts);
  const first = target.live === null;
  const newMigrations = facts.migrations.filter((file) => !facts.applied.some((applied) => applied.name === file.name));
  const plan: Omit<ResetPlan, "hash"> = {
    version: 1,
    command: "reset",
    mode: request.mode,
    tool: facts.tool,
    target: {
      engine: target.engine,
      database: target.database,
      location: target.location,
      systemIdentifier: target.systemIdentifier,
      liveId: target.live?.id ?? null,
      serverVersion: target.serverVersion,
    },
    strategy: strategyOf(facts),
    fingerprint: facts.fingerprint,
    baseline: facts.baseline.exists ? "cached" : "build",
    migrations: { tool: facts.migrator.id, count: facts.migrations.length, new: newMigrations.map(({ name }) => name) },
    seeds: facts.seeds.map(({ name, set }) => ({ name, set })),
    seedChoice: request.seeds,
    route,
    replay: request.replay,
    keep: facts.keep,
    naturalKeys: facts.naturalKeys,
    acceptLoss: request.acceptLoss,
    tables,
    totals: {
      keptRows: sum(tables.map((table) => table.keptRows - table.quarantinedRows)),
      replacedTables: tables.filter((table) => table.action !== "drop").length,
      droppedTables: tables.filter((table) => table.action === "drop").length,
      lostRows: sum(tables.map((table) => table.quarantinedRows)),
    },
    steps: stepsOf(request.mode, { first, cached: facts.baseline.exists, replay: route.kind === "replay" }),
    warnings,
  };
  return { ...plan, hash: hashOf(plan).slice(0, 16) };
}

function strategyOf({ target }: ResetFacts): ResetPlan["strategy"] {
  if (target.live === null)
    return { name: "create", promise: "there is no live database yet: it appears complete or not at all" };
  if (target.engine === "embedded") {
    return {
      name: "embedded",
      promise: "a new data directory beside the live one, taken into use by one atomic rename",
    };
  }
  return { name: "swap", promise: "a new database beside the live one, both renamed in one transaction" };
}

/** A backup that is made now has live's migrations. */
function resetRoute({ applied, migrator, migrations }: ResetFacts, { replay }: ResetRequest): Route {
  return chooseRoute(
    { migrator: migrator.id, migrations: applied },
    { migrator: migrator.id, files: migrations },
    replay,
  );
}

function stepsOf(
  mode: ResetRequest["mode"],
  { first, cached, replay }: { first: boolean; cached: boolean; replay: boolean },
): StepKind[] {
  const build: StepKind[] = cached ? ["baseline", "candidate"] : ["migrate", "seed", "baseline", "candidate"];
  if (first) return [...build, "verify", "swap", "clean"];
  if (mode === "force") return [...build, "fence", "backup", "verify", "swap", "clean"];
  return [...build, "fence", "backup", ...(replay ? (["replay"] as const) : []), "carry", "verify", "swap", "clean"];
}

/** Rules for tables that neither live nor the new schema has are mistakes; ones that only appear later are mentioned. */
function checkKeepRules({ keep, live, baseline }: ResetFacts, route: Route): string[] {
  const known = [live?.catalog, baseline.catalog].filter((catalog): catalog is Catalog => catalog != null);
  // An empty database is one that nobody has migrated yet.
  if (live === null || live.catalog.tables.length === 0) return [];
  const unknown = unknownKeepTables(keep, known);
  if (baseline.catalog !== null) assertKeepTables(unknown);
  // A table that is not there yet is one that pending migrations may fill from kept rows.
  if (route.kind === "replay") return [];
  return unknown.map((label) => `keep rule for "${label}": live has no such table, nothing is kept of it`);
}

/** What the rows of live say against the rules, before anything is touched. */
function carryWarnings({ live, keep }: ResetFacts): string[] {
  if (live === null) return [];
  const { largeObjects = 0 } = live;
  return [
    ...live.tables.flatMap((fact) =>
      closureLines(fact, live.catalog, keep).map((line) => `${tableLabel(fact.table)}: ${line}`),
    ),
    ...(largeObjects === 0 ? [] : [largeObjectWarning(largeObjects, largeObjectColumns(live.catalog, keep))]),
  ];
}

/** Said by a plan and by a backup: what an oid means cannot be seen. */
export function largeObjectWarning(objects: number, columns: readonly string[]): string {
  return `the database has ${objects} large ${objects === 1 ? "object" : "objects"}, which are not carried; kept rows may mean them: ${columns.join(", ")}`;
}

/** @throws ReplantError REPLANT_TABLE_UNKNOWN when any label is given */
export function assertKeepTables(unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  throw new ReplantError("REPLANT_TABLE_UNKNOWN", `keep rules name tables that do not exist: ${unknown.join(", ")}`, {
    state: "nothing was touched",
    hint: "correct the names under keep in replant.config.ts",
  });
}

function planTables(facts: ResetFacts, route: Route): TablePlan[] {
  const { live, keep, baseline, naturalKeys } = facts;
  if (live === null) return [];
  const entries = expectedEntries(facts);
  const predicted = baseline.catalog === null ? null : planCarry(entries, baseline.catalog, keep, { naturalKeys });
  return live.tables.map((fact): TablePlan => {
    const rule = fact.keptRows === null ? null : rowsRuleOf(fact.table, { keep, catalog: live.catalog });
    const byMigrations = route.kind === "replay" && rule !== null;
    const impossible = byMigrations
      ? undefined
      : predicted?.impossible.find((item) => sameTable(item.table, fact.table));
    const carried = predicted?.tables.find((item) => sameTable(item.source, fact.table));
    const gone =
      baseline.catalog !== null && findTable(baseline.catalog, fact.table) === undefined && carried === undefined;
    const dropped =
      gone && byMigrations ? ["a pending migration drops it: its rows go unless migrations move them"] : [];
    return {
      table: tableLabel(fact.table),
      rung: rule === null ? null : byMigrations ? "replay" : (carried?.rung ?? null),
      action: byMigrations ? "keep" : gone ? "drop" : rule === null ? "replace" : "keep",
      rows: fact.rows,
      keptRows: fact.keptRows ?? 0,
      quarantinedRows: impossible?.rows ?? 0,
      notes: [
        ...(rule?.where == null ? [] : [`where ${rule.where}`]),
        ...(impossible === undefined ? [] : [impossible.reason]),
        ...dropped,
        ...(byMigrations ? [`pending migrations run over its rows: ${route.why}`] : columnNotes(carried)),
        ...(carried?.references ?? [])
          .filter((reference) => reference.by === "natural-key")
          .map(
            (reference) =>
              `${reference.columns.join(", ")} re-pointed by natural key of ${tableLabel(reference.target)}`,
          ),
        ...(carried === undefined || baseline.catalog === null ? [] : idReferenceNotes(carried, baseline.catalog)),
        ...closureLines(fact, live.catalog, keep),
      ],
    };
  });
}

function columnNotes(carried: CarryTable | undefined): string[] {
  if (carried === undefined) return [];
  const { table, source, droppedColumns, defaultedColumns, columns, suggestions } = carried;
  return [
    ...(sameTable(table, source) ? [] : [`becomes ${tableLabel(table)}`]),
    ...droppedColumns.map((name) => `column ${name} is not in the new schema`),
    ...defaultedColumns.map(({ name, value }) => `column ${name} is new and takes ${value}`),
    ...columns.flatMap((column) => (column?.rule == null ? [] : [`column ${column.target.name} is made by its rule`])),
    ...suggestions,
  ];
}

function forceTables({ live, baseline }: ResetFacts): TablePlan[] {
  return (live?.tables ?? []).map((fact) => ({
    table: tableLabel(fact.table),
    rung: null,
    action: baseline.catalog !== null && findTable(baseline.catalog, fact.table) === undefined ? "drop" : "replace",
    rows: fact.rows,
    keptRows: 0,
    quarantinedRows: 0,
    notes: fact.keptRows === null || fact.keptRows === 0 ? [] : [`${fact.keptRows} rows that a smart reset would keep`],
  }));
}

/** What the backup will hold, for predicting the carry; contents are not known yet. */
function expectedEntries({ live, keep, naturalKeys }: ResetFacts): BackupEntry[] {
  if (live === null) return [];
  return planBackup(live.catalog, keep, naturalKeys).map((selection, index) => ({
    id: `t${String(index + 1).padStart(4, "0")}`,
    role: selection.role,
    table: selection.table,
    columns: selection.table.columns.filter((column) => !column.generated).map((column) => column.name),
    copy: "text",
    rows: selection.role === "kept" ? keptRowsOf(live.tables, selection.table) : 0,
    digest: "0",
    sizeBytes: 0,
    storedBytes: 0,
    sha256: "",
  }));
}

function keptRowsOf(tables: readonly TableFacts[], name: TableFacts["table"]): number {
  return tables.find((fact) => sameTable(fact.table, name))?.keptRows ?? 0;
}

function strategyUnavailable(blockers: readonly string[]): ReplantError {
  return new ReplantError("REPLANT_STRATEGY_UNAVAILABLE", "this server does not allow an atomic swap", {
    items: blockers,
    state: "nothing was touched",
    hint: "remove what is in the way, or use a local Postgres or the embedded engine for development",
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
