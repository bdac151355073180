import type { StatusReport } from "../model/report.ts";
import type { Ports, Project } from "./context.ts";
import { withSession } from "./context.ts";
import { readMigrationStatus } from "./live.ts";
import { orphans, outcomeOf, unfinishedRuns } from "./recover.ts";

/** `replant status`: what is there and what happened last. Takes no lock, opens no embedded database, changes nothing. */
export async function status({ ports }: { ports: Ports; project: Project }): Promise<StatusReport> {
  const { engine, journal, store } = ports;
  const target = await engine.probe();
  const managed = await engine.managed();
  const runs = await journal.runs(20);
  const chain = await journal.readChain();
  const unfinished = unfinishedRuns(runs, chain?.run ?? null)[0];
  const left = orphans(managed, chain?.run ?? null).map(({ name }) => name);
  const { live } = target;
  return {
    target,
    managed: await Promise.all(
      managed.map(async (database) => ({ ...database, sizeBytes: await engine.sizeBytes(database) })),
    ),
    lastRun: runs[0] ?? null,
    unfinished:
      unfinished === undefined
        ? chain === null
          ? null
          : `a chain is open (done: ${chain.tasks.join(", ")}); its next task goes on, any other command gives it up`
        : `run ${unfinished.run} has not ended: ${
            outcomeOf(unfinished, live?.id ?? null) === "completed"
              ? "its new database is live"
              : "live is unchanged by it"
          }; if it is not running any more, the next command ${left.length === 0 ? "records that" : `drops ${left.join(", ")}`}`,
    backups: await store.list(),
    migrations:
      live === null || target.engine === "embedded"
        ? null
        : await withSession({ ports }, live, (session) => readMigrationStatus(ports, session)),
  };
}
