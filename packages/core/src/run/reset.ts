import type { ResetFacts, ResetPlan, ResetRequest } from "../model/plan.ts";
import { tableLabel } from "../model/catalog.ts";
import type { ExcludedRows, SwapReport } from "../model/report.ts";
import type { Fence } from "../ports/engine.ts";
import { ReplantError } from "../errors.ts";
import { planBackup } from "../plan/backup.ts";
import { planReset } from "../plan/reset.ts";
import { describeBackup, keptRowsOf, keptTablesOf, writeBackup } from "./backup.ts";
import { ensureBaseline } from "./baseline.ts";
import { cloneCandidate, withCandidate } from "./candidate.ts";
import { carryInto, verifyEmptyCandidate } from "./carry.ts";
import { cleanUp } from "./clean.ts";
import type { Ports, Project, Run } from "./context.ts";
import { append, iso, step, warn } from "./context.ts";
import { ensureLevel } from "./replay.ts";
import type { LeftRows } from "./left-rows.ts";
import { carryLeftRows, markCandidate } from "./left-rows.ts";
import { withRun } from "./with-run.ts";
import { inspect } from "./inspect.ts";
import { followUp } from "./follow-ups.ts";
import { swapIn } from "./swap.ts";

export interface ResetOptions extends ResetRequest {
  /** Leaves a failed candidate in place. */
  readonly keepFailed: boolean;
  /** Called with the plan before anything changes; throws to refuse. */
  readonly authorise: (plan: ResetPlan, facts: ResetFacts) => Promise<void>;
  /** Rows of an older backup that come after those of live. */
  readonly retry?: LeftRows;
}

/** The plan of a reset, without a lock: nothing is changed. */
export async function previewReset(
  { ports, project }: { ports: Ports; project: Project },
  request: ResetRequest,
): Promise<{ plan: ResetPlan; facts: ResetFacts }> {
  const facts = await inspect({ ports, project }, request.seeds);
  return { plan: planReset(facts, request), facts };
}

/** `replant reset`: rebuilds live beside itself and swaps. */
export async function reset(ports: Ports, project: Project, options: ResetOptions): Promise<SwapReport> {
  const { mode, retry } = options;
  const command = retry !== undefined ? `retry ${retry.run}` : mode === "force" ? "reset --force" : "reset";
  return withRun({ ports, project, command }, async (run) => {
    const { plan, facts } = await step(run, { kind: "inspect", title: "inspect" }, async () => {
      const preview = await previewReset({ ports, project }, options);
      return { value: preview, title: describeInspection(preview.facts) };
    });
    for (const text of plan.warnings) warn(run, text);
    await options.authorise(plan, facts);
    return executeReset(run, { plan, facts, keepFailed: options.keepFailed, retry: retry ?? null });
  });
}

function describeInspection({ live, migrations, seeds }: ResetFacts): string {
  const tables = live === null ? "no live database yet" : `${live.tables.length} tables`;
  return `inspected ${tables}, ${migrations.length} migrations, ${seeds.length} seeds`;
}

async function executeReset(
  run: Run,
  {
    plan,
    facts,
    keepFailed,
    retry,
  }: { plan: ResetPlan; facts: ResetFacts; keepFailed: boolean; retry: LeftRows | null },
): Promise<SwapReport> {
  const { live } = facts.target;
  await append(run, {
    type: "begin",
    at: iso(run.ports.clock.now()),
    command: run.command,
    live: plan.target.database,
    liveId: live?.id ?? null,
    planHash: plan.hash,
  });
  const baseline = await ensureBaseline(run, { fingerprint: plan.fingerprint, seeds: plan.seedChoice });
  const candidate = await cloneCandidate(run, {
    baseline: baseline.database,
    fingerprint: plan.fingerprint,
    cached: baseline.cached,
  });
  return withCandidate(run, { candidate, live, keepFailed }, async (fences) => {
    // The slow part of a replay, before anybody waits for the fence.
    if (plan.mode === "smart" && plan.route.kind === "replay") await ensureLevel(run, plan.route);
    const fence = live === null ? null : await raiseFence(run, { live, facts });
    if (fence !== null) fences.push(fence);
    const manifest = fence === null ? null : await backupStep(run, { fence, facts });
    const since = retry === null ? null : await markCandidate(run, candidate);
    const result =
      manifest === null || plan.mode === "force"
        ? null
        : await carryInto(run, {
            candidate,
            reader: await run.ports.store.open(manifest.id),
            catalog: baseline.catalog,
            acceptLoss: plan.acceptLoss,
            replay: plan.replay,
          });
    if (result === null) await verifyEmptyCandidate(run, candidate);
    const { catalog } = baseline;
    const { replay } = plan;
    const retried =
      retry === null || since === null ? null : await carryLeftRows(run, retry, { candidate, catalog, replay, since });
    const { previous, endedSessions } = await swapIn(run, { candidate, live, fence });
    const followUps = await followUp(run);
    await cleanUp(run, { fingerprint: plan.fingerprint });
    return {
      run: run.id,
      live: plan.target.database,
      planHash: plan.hash,
      previous: previous?.name ?? null,
      backup: manifest === null ? null : { id: manifest.id, location: `${run.ports.store.location}/${manifest.id}` },
      carried: result?.outcome ?? null,
      route: result?.route ?? null,
      ways: result?.ways ?? [],
      acceptedLoss: result?.acceptedLoss ?? [],
      excluded: result === null ? [] : excludedRows(facts),
      retried,
      followUps,
      endedSessions,
      seeds: baseline.seeds,
      durationMs: run.ports.clock.now() - run.startedAt,
      warnings: run.warnings,
    };
  });
}

function excludedRows({ live }: ResetFacts): ExcludedRows[] {
  return (live?.tables ?? []).flatMap(({ table, rows, keptRows }) =>
    keptRows === null || keptRows === rows ? [] : [{ table: tableLabel(table), rows: rows - keptRows }],
  );
}

/** Locks every table that the backup will read, so that no write to them can be acknowledged and then lost. */
export async function raiseFence(
  run: Run,
  { live, facts }: { live: NonNullable<ResetFacts["target"]["live"]>; facts: Pick<ResetFacts, "live" | "target"> },
): Promise<Fence> {
  return step(run, { kind: "fence", title: "fence" }, async () => {
    const catalog = facts.live?.catalog;
    if (catalog === undefined) throw new ReplantError("REPLANT_INTERNAL", "live was not inspected");
    const tables = [
      ...new Set(planBackup(catalog, run.project.keep, run.project.naturalKeys).map((selection) => selection.table)),
    ];
    const fence = await run.ports.engine.fence(live, tables);
    const others = facts.target.sessions.length;
    return {
      value: fence,
      title: `fence    ${tables.length} tables locked against writes`,
      ...(others === 0 ? {} : { note: `${others} connections of others will end with the swap` }),
    };
  });
}

async function backupStep(
  run: Run,
  { fence, facts }: { fence: Fence; facts: ResetFacts },
): Promise<Awaited<ReturnType<typeof writeBackup>>> {
  return step(run, { kind: "backup", title: "backup" }, async () => {
    const manifest = await writeBackup(run, { session: fence.session, target: facts.target });
    const { location } = describeBackup(run, manifest);
    return {
      value: manifest,
      title: `backup   ${keptRowsOf(manifest)} rows, ${keptTablesOf(manifest)} tables`,
      note: `${location} (verified)`,
    };
  });
}
