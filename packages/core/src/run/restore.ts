import { ReplantError } from "../errors.ts";
import type { SwapReport } from "../model/report.ts";
import type { ResetFacts } from "../model/plan.ts";
import type { SeedChoice } from "../ports/seeder.ts";
import type { BackupReader } from "../ports/store.ts";
import { assertBinaryFits } from "../plan/binary-parts.ts";
import { ensureBaseline } from "./baseline.ts";
import { cloneCandidate, withCandidate } from "./candidate.ts";
import { carryInto } from "./carry.ts";
import { cleanUp } from "./clean.ts";
import type { Ports, Project, Run } from "./context.ts";
import { throwIfAborted } from "./context.ts";
import { withRun } from "./with-run.ts";
import { inspect } from "./inspect.ts";
import { followUp } from "./follow-ups.ts";
import { swapIn } from "./swap.ts";

export interface RestoreOptions {
  /** Id, prefix, path or `latest`. */
  readonly backup: string;
  readonly seeds: SeedChoice;
  readonly acceptLoss: readonly string[];
  /** See `CarryRequest`. */
  readonly replay: boolean;
  readonly keepFailed: boolean;
  /** Accepts a backup of another project. */
  readonly fromProject: boolean;
  /** Called before anything changes; throws to refuse. */
  readonly authorise: (facts: ResetFacts, reader: BackupReader) => Promise<void>;
}

/**
 * `replant restore`: a new database from migrations and seeds, the backup's rows carried into it, swapped in. Live stays as
 * `previous`. The backup is read to its end before anything is touched.
 */
export async function restore(ports: Ports, project: Project, options: RestoreOptions): Promise<SwapReport> {
  // Before the lock: a backup that cannot be used needs none.
  const reader = await openVerified(ports, project, options);
  return withRun({ ports, project, command: "restore" }, async (run) => {
    const facts = await inspect({ ports, project }, options.seeds);
    assertBinaryFits(reader.manifest, facts.target.serverMajor);
    await options.authorise(facts, reader);
    return executeRestore(run, { facts, reader, options });
  });
}

async function openVerified(
  ports: Ports,
  project: Project,
  { backup, fromProject }: Pick<RestoreOptions, "backup" | "fromProject">,
): Promise<BackupReader> {
  const reader = await ports.store.open(backup);
  const { lineage, id } = reader.manifest;
  if (lineage.project !== project.id && !fromProject) {
    throw new ReplantError(
      "REPLANT_BACKUP_FOREIGN",
      `backup ${id} was made from another project (database "${lineage.database}")`,
      {
        state: "nothing was touched",
        hint: "if you mean it, add --from-project",
      },
    );
  }
  await reader.verify();
  throwIfAborted(ports.signal);
  return reader;
}

async function executeRestore(
  run: Run,
  { facts, reader, options }: { facts: ResetFacts; reader: BackupReader; options: RestoreOptions },
): Promise<SwapReport> {
  const { live } = facts.target;
  const { fingerprint } = facts;
  const baseline = await ensureBaseline(run, { fingerprint, seeds: options.seeds });
  const candidate = await cloneCandidate(run, { baseline: baseline.database, fingerprint, cached: baseline.cached });
  return withCandidate(run, { candidate, live, keepFailed: options.keepFailed }, async () => {
    const { outcome, acceptedLoss, route, ways } = await carryInto(run, {
      candidate,
      reader,
      catalog: baseline.catalog,
      acceptLoss: options.acceptLoss,
      replay: options.replay,
    });
    const { previous, endedSessions } = await swapIn(run, { candidate, live, fence: null });
    const followUps = await followUp(run);
    await cleanUp(run, { fingerprint });
    return {
      run: run.id,
      live: facts.target.database,
      planHash: null,
      previous: previous?.name ?? null,
      backup: { id: reader.manifest.id, location: reader.location },
      carried: outcome,
      route,
      ways,
      acceptedLoss,
      excluded: [],
      retried: null,
      followUps,
      endedSessions,
      seeds: baseline.seeds,
      durationMs: run.ports.clock.now() - run.startedAt,
      warnings: run.warnings,
    };
  });
}
