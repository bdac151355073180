import { ReplantError } from "../errors.ts";
import type { CarryOutcome, CarryPlan } from "../model/carry.ts";
import type { Catalog } from "../model/catalog.ts";
import { tableLabel } from "../model/catalog.ts";
import type { AcceptedLoss } from "../model/report.ts";
import type { DatabaseRef } from "../ports/engine.ts";
import type { BackupReader } from "../ports/store.ts";
import type { SqlSession } from "../ports/session.ts";
import { restoreRules, unknownKeepTables } from "../plan/backup.ts";
import { planCarry } from "../plan/carry.ts";
import { assertKeepTables } from "../plan/reset.ts";
import type { Run } from "./context.ts";
import { step } from "./context.ts";

export interface CarryResult {
  readonly outcome: CarryOutcome;
  readonly acceptedLoss: readonly AcceptedLoss[];
}

/**
 * Carries a backup into the candidate and reads it back, both in one session. Rows that cannot be carried stop the run here,
 * before the swap, unless their table's loss was accepted.
 * @throws ReplantError REPLANT_ROWS_LOST | REPLANT_CARRY_FAILED | REPLANT_VERIFY_FAILED
 */
export async function carryInto(
  run: Run,
  {
    candidate,
    reader,
    catalog,
    acceptLoss,
  }: { candidate: DatabaseRef; reader: BackupReader; catalog: Catalog; acceptLoss: readonly string[] },
): Promise<CarryResult> {
  const source = { tables: reader.manifest.entries.map((entry) => entry.table) };
  assertKeepTables(unknownKeepTables(run.project.keep, [source, catalog]));
  const { entries, keep } = reader.manifest;
  const plan = planCarry(entries, catalog, restoreRules(entries, run.project.keep, keep), run.project.naturalKeys);
  const session = await run.ports.engine.connect(candidate);
  try {
    const result = await step(run, { kind: "carry", title: "carry" }, async () => {
      const outcome = await run.ports.rows.carry(session, plan, (entry) => reader.rows(entry));
      const acceptedLoss = decideLoss({ plan, outcome, acceptLoss });
      return { value: { outcome, acceptedLoss }, ...describeCarry(plan, outcome) };
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
  } finally {
    await session.close();
  }
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
  acceptLoss,
}: {
  plan: CarryPlan;
  outcome: CarryOutcome;
  acceptLoss: readonly string[];
}): AcceptedLoss[] {
  const losses: AcceptedLoss[] = [
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
      ...plan.impossible.map(({ table, rows, reason }) => `${tableLabel(table)}: all ${rows} rows: ${reason}`),
      ...outcome.quarantined.map(({ table, row, reason }) => `${tableLabel(table)} ${row}: ${reason}`),
    ],
    why: "the new schema or the seeds have no place for them",
    hint: `change the migration, the seed or the rule; or accept the loss: --accept-loss=${labels.join(",")} (the rows stay in the backup)`,
  });
}

function describeCarry(plan: CarryPlan, outcome: CarryOutcome): { title: string; note?: string } {
  const total = (pick: (table: CarryOutcome["tables"][number]) => number): number =>
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
