import { ReplantError } from "../errors.ts";
import type { BackupEntry, RecordedSequence } from "../model/backup.ts";
import type { CarriedTable, CarryOutcome, CarryPlan, CarryRetry, CarryWay } from "../model/carry.ts";
import type { Catalog } from "../model/catalog.ts";
import { tableLabel } from "../model/catalog.ts";
import type { KeepRules } from "../model/keep.ts";
import type { AcceptedLoss } from "../model/report.ts";
import type { DatabaseRef } from "../ports/engine.ts";
import type { Harvest, RowSource } from "../ports/rows.ts";
import type { BackupReader } from "../ports/store.ts";
import type { SqlSession } from "../ports/session.ts";
import { restoreRules, unknownKeepTables } from "../plan/backup.ts";
import { planCarry } from "../plan/carry.ts";
import { describeWays, droppedRows, harvestWarnings } from "../plan/carry-ways.ts";
import type { Route } from "../plan/ladder.ts";
import { chooseRoute } from "../plan/ladder.ts";
import { assertKeepTables } from "../plan/reset.ts";
import type { Run } from "./context.ts";
import { step, warn } from "./context.ts";
import { withReplay } from "./replay.ts";

export interface CarryResult {
  readonly outcome: CarryOutcome;
  readonly route: Route;
  readonly ways: readonly CarryWay[];
  readonly acceptedLoss: readonly AcceptedLoss[];
}

export interface CarryRequest {
  readonly candidate: DatabaseRef;
  readonly reader: BackupReader;
  readonly catalog: Catalog;
  readonly acceptLoss: readonly string[];
  /** False: columns go by name and by rule, although migrations could run over the rows. */
  readonly replay: boolean;
  readonly retry?: CarryRetry;
}

/**
 * Carries a backup into the candidate and reads it back, both in one session. Rows that cannot be carried stop the run here,
 * before the swap, unless their table's loss was accepted.
 * @throws ReplantError REPLANT_ROWS_LOST | REPLANT_CARRY_FAILED | REPLANT_VERIFY_FAILED
 */
export async function carryInto(run: Run, request: CarryRequest): Promise<CarryResult> {
  const { candidate, reader, catalog } = request;
  const { entries, keep: recorded, sequences } = reader.manifest;
  const source = { tables: entries.map((entry) => entry.table) };
  assertKeepTables(unknownKeepTables(run.project.keep, [source, catalog]));
  const keep = restoreRules(entries, catalog, { own: run.project.keep, recorded });
  const { migrator } = run.ports;
  const route = chooseRoute(reader.manifest, { migrator: migrator.id, files: await migrator.files() }, request.replay);
  const session = await run.ports.engine.connect(candidate);
  try {
    const stored: CarrySource = { entries, sequences, source: (entry) => reader.rows(entry), harvest: null };
    const carry = (from: CarrySource): Promise<CarryResult> =>
      carryRows(run, { ...request, session, keep, route, from });
    if (route.kind === "direct") return await carry(stored);
    return await withReplay(run, { route, reader, keep, candidate: session }, (rows) =>
      carry(rows === null ? stored : { ...rows, sequences }),
    );
  } finally {
    await session.close();
  }
}

/** Rows to carry: a backup's own, or what migrations have made of them. */
interface CarrySource {
  readonly entries: readonly BackupEntry[];
  readonly sequences: readonly RecordedSequence[];
  readonly source: RowSource;
  readonly harvest: Harvest | null;
}

async function carryRows(
  run: Run,
  {
    session,
    catalog,
    keep,
    route,
    from,
    acceptLoss,
    retry = null,
  }: Omit<CarryRequest, "retry"> & {
    retry?: CarryRetry | null;
    session: SqlSession;
    keep: KeepRules;
    route: Route;
    from: CarrySource;
  },
): Promise<CarryResult> {
  const plan = planCarry(from.entries, catalog, keep, {
    naturalKeys: run.project.naturalKeys,
    sequences: from.sequences,
    retry,
    replayed: from.harvest !== null,
  });
  const ways = describeWays(plan, { route, harvest: from.harvest });
  for (const { table, suggestions } of ways) for (const text of suggestions) warn(run, `${table}: ${text}`);
  for (const text of harvestWarnings(from.harvest)) warn(run, text);
  const result = await step(run, { kind: "carry", title: "carry" }, async () => {
    const outcome = await run.ports.rows.carry(session, plan, from.source);
    const acceptedLoss = decideLoss({ plan, outcome, harvest: from.harvest, acceptLoss });
    const told = retry === null ? describeCarry(plan, outcome) : describeRetry(outcome);
    return { value: { outcome, acceptedLoss, route, ways }, ...told };
  });
  await step(run, { kind: "verify", title: "verify" }, async () => {
    const findings = [
      ...(await run.ports.rows.verify(session, plan, result.outcome)),
      ...(await migrationFindings(run, session)),
    ];
    assertNoFindings(findings);
    return { value: null, title: "verified counts, values, references, sequences" };
  });
  return result;
}

/** The same promises for a candidate into which nothing was carried. */
export async function verifyEmptyCandidate(run: Run, candidate: DatabaseRef): Promise<void> {
  await step(run, { kind: "verify", title: "verify" }, async () => {
    const session = await run.ports.engine.connect(candidate);
    try {
      const catalog = await run.ports.engine.catalog(session);
      assertNoFindings(await migrationFindings(run, session));
      return { value: null, title: `verified ${catalog.tables.length} tables, migrations up to date` };
    } finally {
      await session.close();
    }
  });
}

async function migrationFindings(run: Run, session: SqlSession): Promise<string[]> {
  const records = await run.ports.migrator.records(session);
  const applied = new Set(records.filter((record) => record.state === "applied").map((record) => record.name));
  return (await run.ports.migrator.files())
    .filter((file) => !applied.has(file.name))
    .map((file) => `migration ${file.name} is not applied`);
}

function assertNoFindings(findings: readonly string[]): void {
  if (findings.length === 0) return;
  throw new ReplantError("REPLANT_VERIFY_FAILED", "the new database is not what it must be", {
    items: findings,
    hint: "see the items; nothing is wrong with live",
  });
}

function decideLoss({
  plan,
  outcome,
  harvest,
  acceptLoss,
}: {
  plan: CarryPlan;
  outcome: CarryOutcome;
  harvest: Harvest | null;
  acceptLoss: readonly string[];
}): AcceptedLoss[] {
  const dropped = droppedRows(harvest);
  const losses: AcceptedLoss[] = [
    ...dropped,
    ...plan.impossible.map(({ table, rows, reason }) => ({ table: tableLabel(table), rows, reason })),
    ...outcome.tables
      .filter((table) => table.quarantined > 0)
      .map(({ table, quarantined }) => ({ table: tableLabel(table), rows: quarantined, reason: "see the rows" })),
  ];
  const refused = losses.filter(({ table }) => !acceptLoss.includes(table) && !acceptLoss.includes("*"));
  if (refused.length === 0) return losses;
  const rows = refused.reduce((total, loss) => total + loss.rows, 0);
  const labels = [...new Set(refused.map(({ table }) => table))];
  throw new ReplantError("REPLANT_ROWS_LOST", `${rows} kept ${rows === 1 ? "row" : "rows"} cannot be carried`, {
    items: [
      ...dropped.map(({ table, rows, reason }) => `${table}: all ${rows} rows: ${reason}`),
      ...plan.impossible.map(({ table, rows, reason }) => `${tableLabel(table)}: all ${rows} rows: ${reason}`),
      ...outcome.quarantined.map(({ table, row, reason }) => `${tableLabel(table)} ${row}: ${reason}`),
    ],
    why: "the new schema or the seeds have no place for them",
    hint: `change the migration, the seed or the rule; or accept the loss: --accept-loss=${labels.join(",")} (the rows stay in the backup)`,
  });
}

function describeRetry({ tables }: CarryOutcome): { title: string } {
  const total = (pick: (table: CarriedTable) => number): number => tables.reduce((sum, table) => sum + pick(table), 0);
  const back = total(({ carried }) => carried);
  return { title: `retry    ${back}/${back + total(({ quarantined }) => quarantined)} rows that were left behind` };
}

function describeCarry(plan: CarryPlan, outcome: CarryOutcome): { title: string; note?: string } {
  const total = (pick: (table: CarriedTable) => number): number =>
    outcome.tables.reduce((sum, table) => sum + pick(table), 0);
  const notes = [
    ...plan.tables.flatMap((table) =>
      table.defaultedColumns.map(({ name, value }) => `${tableLabel(table.table)}.${name} -> ${value}`),
    ),
    ...outcome.repointed.map(
      ({ table, rows, constraint }) => `${rows} of ${tableLabel(table)} re-pointed (${constraint})`,
    ),
  ];
  return {
    title: `carry    ${total((table) => table.carried)}/${total((table) => table.inBackup)} rows, ids kept`,
    ...(notes.length === 0 ? {} : { note: notes.slice(0, 3).join("; ") + (notes.length > 3 ? "; ..." : "") }),
  };
}
