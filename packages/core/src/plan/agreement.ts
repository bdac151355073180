import { ReplantError } from "../errors.ts";
import type { ResetPlan, ResetRequest, TablePlan } from "../model/plan.ts";
import { canonicalJson, hashOf } from "./canonical.ts";

/** Rows may come and go between a plan and its run; more than this share, and more than these few, is another matter. */
const toleratedShare = 0.1;
const toleratedRows = 100;

/**
 * A plan that was written down, as it was made.
 * @throws ReplantError REPLANT_PLAN_INVALID for what no `plan` of this version has written
 */
export function readPlan(value: unknown): ResetPlan {
  const plan = (
    typeof value === "object" && value !== null && "plan" in value ? value.plan : value
  ) as Partial<ResetPlan>;
  if (typeof plan !== "object" || plan === null || plan.command !== "reset" || typeof plan.hash !== "string") {
    throw invalid("it is no plan of a reset");
  }
  if (plan.version !== 1) throw invalid("it was written by a newer version");
  const { hash, ...rest } = plan;
  if (hashOf(rest).slice(0, 16) !== hash) throw invalid("it was changed after it was made");
  return plan as ResetPlan;
}

/** What the plan was made for; the same request makes the same plan, as long as nothing has changed. */
export function requestOf({ mode, seedChoice, acceptLoss, replay }: ResetPlan): ResetRequest {
  return { mode, seeds: seedChoice, acceptLoss, replay };
}

/**
 * What has changed between a plan that somebody agreed to and the one that would be made now, one line each; empty: nothing that
 * matters. Row counts may differ a little, and what is cached may differ.
 */
export function planChanges(agreed: ResetPlan, now: ResetPlan): string[] {
  const facts: readonly (readonly [string, (plan: ResetPlan) => unknown])[] = [
    ["the version of Replant", (plan) => plan.tool],
    ["the engine", (plan) => plan.target.engine],
    ["the database", (plan) => plan.target.database],
    ["the server's address", (plan) => plan.target.location],
    ["the server itself", (plan) => plan.target.systemIdentifier],
    ["the live database, which was replaced meanwhile", (plan) => plan.target.liveId],
    ["the server's version", (plan) => plan.target.serverVersion],
    ["the strategy", (plan) => plan.strategy.name],
    ["the pending migrations", (plan) => plan.migrations.new],
    ["the seeds", (plan) => plan.seeds],
    ["what migrations and seeds consist of", (plan) => plan.fingerprint],
    ["the way of the rows to the new schema", (plan) => plan.route],
    ["the keep rules", (plan) => plan.keep],
    ["the natural keys", (plan) => plan.naturalKeys],
  ];
  return [
    ...facts.flatMap(([name, of]) =>
      canonicalJson(of(agreed)) === canonicalJson(of(now)) ? [] : [changed(name, of(agreed), of(now))],
    ),
    ...tableChanges(agreed.tables, now.tables),
  ];
}

function changed(name: string, before: unknown, after: unknown): string {
  const short = (value: unknown): string | null => (typeof value === "string" && value.length <= 60 ? value : null);
  const [from, to] = [short(before), short(after)];
  return from === null || to === null ? `${name}: no longer the same` : `${name}: was ${from}, is ${to}`;
}

function tableChanges(before: readonly TablePlan[], after: readonly TablePlan[]): string[] {
  const gone = before.filter(({ table }) => !after.some((other) => other.table === table));
  const lines = gone.map(({ table }) => `${table}: is not there any more`);
  for (const now of after) {
    const agreed = before.find(({ table }) => table === now.table);
    if (agreed === undefined) lines.push(`${now.table}: was not there`);
    else lines.push(...tableDifferences(agreed, now).map((text) => `${now.table}: ${text}`));
  }
  return lines;
}

function tableDifferences(agreed: TablePlan, now: TablePlan): string[] {
  const counts = [
    ["rows", agreed.rows, now.rows],
    ["kept rows", agreed.keptRows, now.keptRows],
  ] as const;
  return [
    ...(agreed.action === now.action ? [] : [`was to ${agreed.action}, would ${now.action} now`]),
    ...(now.quarantinedRows > agreed.quarantinedRows
      ? [`${now.quarantinedRows} rows could not be carried, it was ${agreed.quarantinedRows}`]
      : []),
    ...counts.flatMap(([name, before, after]) =>
      isTolerated(before, after) ? [] : [`had ${before} ${name}, has ${after}`],
    ),
  ];
}

function isTolerated(before: number, after: number): boolean {
  return Math.abs(after - before) <= Math.max(toleratedRows, before * toleratedShare);
}

/**
 * @throws ReplantError REPLANT_PLAN_CHANGED naming what has changed
 */
export function assertAgreed(agreed: ResetPlan, now: ResetPlan): void {
  const changes = planChanges(agreed, now);
  if (changes.length === 0) return;
  throw new ReplantError("REPLANT_PLAN_CHANGED", `the plan ${agreed.hash} does not hold any more`, {
    items: changes,
    state: "nothing was touched",
    hint: "make a new plan and look at it: replant plan -o plan.json",
  });
}

function invalid(why: string): ReplantError {
  return new ReplantError("REPLANT_PLAN_INVALID", "the file is not a plan that can be applied", {
    why,
    state: "nothing was touched",
    hint: "make one: replant plan -o plan.json",
  });
}
