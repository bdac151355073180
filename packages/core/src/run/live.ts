import type { TargetFacts } from "../model/facts.ts";
import type { MigrateReport, MigrationStatus, SeedReport } from "../model/report.ts";
import type { SeedChoice } from "../ports/seeder.ts";
import type { SqlSession } from "../ports/session.ts";
import { compareHistory } from "../plan/history.ts";
import { assertLive } from "./backup.ts";
import { seedStep } from "./baseline.ts";
import type { Ports, Project } from "./context.ts";
import { step, withSession } from "./context.ts";
import { withRun } from "./with-run.ts";

type Authorise = (target: TargetFacts) => Promise<void>;

/** `replant seed`: adds and updates what seeds own in live; everything else stays. */
export async function seedLive(
  ports: Ports,
  project: Project,
  { choice, authorise }: { choice: SeedChoice; authorise: Authorise },
): Promise<SeedReport> {
  return withRun({ ports, project, command: "seed" }, async (run) => {
    const target = await ports.engine.probe();
    await authorise(target);
    const seeds = await withSession(run, assertLive(target, "nothing was touched"), (session) =>
      seedStep(run, { session, seeds: choice, mustWrite: false }),
    );
    return { run: run.id, seeds };
  });
}

/** `replant migrate up`: applies pending migrations to live in place, as the migrator's own tool would. */
export async function migrateLive(
  ports: Ports,
  project: Project,
  { authorise }: { authorise: Authorise },
): Promise<MigrateReport> {
  return withRun({ ports, project, command: "migrate up" }, async (run) => {
    const target = await ports.engine.probe();
    await authorise(target);
    const applied = await withSession(run, assertLive(target, "nothing was touched"), (session) =>
      step(run, { kind: "migrate", title: "migrations" }, async () => {
        const applied = await ports.migrator.apply(session);
        return {
          value: applied,
          title: applied.length === 0 ? "no migration pending" : `${applied.length} migrations applied`,
        };
      }),
    );
    return { run: run.id, applied };
  });
}

/** `replant migrate status`: applied, pending and problems of live. Changes nothing. */
export async function migrationStatus(ports: Ports): Promise<MigrationStatus> {
  const target = await ports.engine.probe();
  return withSession({ ports }, assertLive(target, "nothing was touched"), (session) =>
    readMigrationStatus(ports, session),
  );
}

export async function readMigrationStatus(ports: Ports, session: SqlSession): Promise<MigrationStatus> {
  const history = compareHistory(await ports.migrator.files(), await ports.migrator.records(session));
  return {
    applied: history.applied.map(({ name }) => name),
    pending: history.pending.map(({ name }) => name),
    problems: history.problems.map((problem) => `${problem.kind}: ${problem.migration}`),
  };
}
