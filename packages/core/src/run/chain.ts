import { ReplantError } from "../errors.ts";
import type { BackupReport, MigrateReport, SeedReport, SwapReport } from "../model/report.ts";
import type { TargetFacts } from "../model/facts.ts";
import type { DatabaseRef } from "../ports/engine.ts";
import type { ChainState } from "../ports/journal.ts";
import type { SeedChoice } from "../ports/seeder.ts";
import { baselineFingerprint } from "../plan/fingerprint.ts";
import { backupLive, writeBackup } from "./backup.ts";
import { ensureBaseline, seedStep } from "./baseline.ts";
import { cloneCandidate, withCandidate } from "./candidate.ts";
import { carryInto } from "./carry.ts";
import { cleanUp } from "./clean.ts";
import type { Ports, Project, Run } from "./context.ts";
import { step, withSession } from "./context.ts";
import { withRun } from "./with-run.ts";
import { inspect } from "./inspect.ts";
import { raiseFence } from "./reset.ts";
import { followUp } from "./follow-ups.ts";
import { swapIn } from "./swap.ts";

type Authorise = (target: TargetFacts) => Promise<void>;

/*
 * backup -> reset -> seed -> restore as separate processes that join one run: each works on the candidate, only the last swaps.
 * A chain that dies half-way has changed nothing; the next command that is not its continuation drops its candidate.
 */

/** First task: always begins anew. */
export async function chainBackup(
  ports: Ports,
  project: Project,
  { authorise }: { authorise: Authorise },
): Promise<BackupReport> {
  return withRun({ ports, project, command: "backup --chain" }, async (run) => {
    const target = await ports.engine.probe();
    await authorise(target);
    const report = await backupLive(run);
    await ports.journal.writeChain({
      run: run.id,
      live: target.database,
      tasks: ["backup"],
      backup: report.backup,
      candidate: null,
    });
    return report;
  });
}

/** Second task: an empty candidate with all migrations. */
export async function chainReset(
  ports: Ports,
  project: Project,
  { authorise }: { authorise: Authorise },
): Promise<MigrateReport> {
  return joinChain(ports, project, { command: "reset --chain", after: ["backup"] }, async (run, chain) => {
    const target = await ports.engine.probe();
    await authorise(target);
    const { migrator } = ports;
    const migrations = await migrator.files();
    const fingerprint = baselineFingerprint({ target, migrator, migrations, seedFingerprint: "none" });
    const baseline = await ensureBaseline(run, { fingerprint, seeds: null });
    const candidate = await cloneCandidate(run, { baseline: baseline.database, fingerprint, cached: baseline.cached });
    await ports.journal.writeChain({ ...chain, tasks: ["backup", "reset"], candidate });
    return { run: run.id, applied: migrations.map(({ name, checksum }) => ({ name, checksum })) };
  });
}

/** Third task: seeds the candidate. */
export async function chainSeed(
  ports: Ports,
  project: Project,
  { choice }: { choice: SeedChoice },
): Promise<SeedReport> {
  return joinChain(ports, project, { command: "seed --chain", after: ["backup", "reset"] }, async (run, chain) => {
    const seeds = await withSession(run, candidateOf(chain), (session) =>
      seedStep(run, { session, seeds: choice, mustWrite: true }),
    );
    await ports.journal.writeChain({ ...chain, tasks: ["backup", "reset", "seed"] });
    return { run: run.id, seeds };
  });
}

/**
 * Last task: carries and swaps. Rows may have been written since the first task, so the kept rows are backed up once more behind
 * the fence, and it is that backup which is carried.
 */
export async function chainRestore(
  ports: Ports,
  project: Project,
  {
    choice,
    acceptLoss,
    keepFailed,
    replay,
  }: { choice: SeedChoice; acceptLoss: readonly string[]; keepFailed: boolean; replay: boolean },
): Promise<SwapReport> {
  return joinChain(
    ports,
    project,
    { command: "restore --chain", after: ["backup", "reset", "seed"] },
    async (run, chain) => {
      const facts = await inspect({ ports, project }, choice);
      const { live } = facts.target;
      const candidate = candidateOf(chain);
      if (live === null) throw broken("live has vanished since db:backup");
      const catalog = await withSession(run, candidate, (session) => ports.engine.catalog(session));
      const report = await withCandidate(run, { candidate, live, keepFailed }, async (fences): Promise<SwapReport> => {
        const fence = await raiseFence(run, { live, facts });
        fences.push(fence);
        const manifest = await step(run, { kind: "backup", title: "backup" }, async () => ({
          value: await writeBackup(run, { session: fence.session, target: facts.target }),
          title: "backup   once more, behind the fence",
        }));
        const reader = await ports.store.open(manifest.id);
        const { outcome, acceptedLoss, route, ways } = await carryInto(run, {
          candidate,
          reader,
          catalog,
          acceptLoss,
          replay,
        });
        const { previous, endedSessions } = await swapIn(run, { candidate, live, fence });
        const followUps = await followUp(run);
        await ports.journal.writeChain(null);
        await cleanUp(run, { fingerprint: facts.fingerprint });
        return {
          run: run.id,
          live: facts.target.database,
          planHash: null,
          previous: previous?.name ?? null,
          backup: { id: manifest.id, location: reader.location },
          carried: outcome,
          route,
          ways,
          acceptedLoss,
          excluded: [],
          retried: null,
          followUps,
          endedSessions,
          seeds: [],
          durationMs: run.ports.clock.now() - run.startedAt,
          warnings: run.warnings,
        };
      });
      return report;
    },
  );
}

async function joinChain<Report extends object>(
  ports: Ports,
  project: Project,
  { command, after }: { command: string; after: ChainState["tasks"] },
  work: (run: Run, chain: ChainState) => Promise<Report>,
): Promise<Report> {
  const open = await ports.journal.readChain();
  if (open === null || open.tasks.join() !== after.join()) {
    throw broken(open === null ? "no chain is open" : `the open chain has done: ${open.tasks.join(", ")}`);
  }
  return withRun({ ports, project, command, id: open.run }, async (run) => {
    const chain = await ports.journal.readChain();
    if (chain === null || chain.run !== open.run) throw broken("another command has ended the chain");
    const { database } = ports.engine;
    if (chain.live !== database) throw broken(`the chain was begun for "${chain.live}", this is "${database}"`);
    return work(run, chain);
  });
}

function candidateOf(chain: ChainState): DatabaseRef {
  if (chain.candidate === null) throw broken("the chain has no candidate");
  return chain.candidate;
}

function broken(why: string): ReplantError {
  return new ReplantError(
    "REPLANT_CHAIN_BROKEN",
    "this task is part of the chain backup -> reset -> seed -> restore and cannot run here",
    {
      why,
      state: "live was not changed",
      hint: "run the whole chain (pnpm db:cycle), or the command without --chain",
    },
  );
}
