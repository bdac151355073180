import { messageOf } from "../errors.ts";
import type { ManagedDatabase } from "../ports/engine.ts";
import { retention } from "../plan/retention.ts";
import type { Ports, Project, Run } from "./context.ts";
import { step, warn } from "./context.ts";
import { withRun } from "./with-run.ts";

// One for the migrations and seeds of today, one for the branch that was just left, one spare.
const baselinesKept = 3;

/** Databases that are not needed any more: previous ones beyond the quota, and baselines that newer ones have replaced. */
export function retired(
  managed: readonly ManagedDatabase[],
  { previousKept, fingerprint, live }: { previousKept: number; fingerprint: string | null; live: string },
): ManagedDatabase[] {
  const newestFirst = [...managed].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const previous = newestFirst.filter((database) => database.role === "previous").slice(previousKept);
  const baselines = newestFirst.filter((database) => database.role === "baseline" && database.live === live);
  const inUse = baselines.filter((database) => database.fingerprint === fingerprint);
  const others = baselines.filter((database) => database.fingerprint !== fingerprint);
  return [...previous, ...others.slice(Math.max(0, baselinesKept - inUse.length))];
}

/** Applies the quotas. What cannot be dropped now is a warning: the next run tries again. */
export async function cleanUp(run: Run, { fingerprint }: { fingerprint: string | null }): Promise<string[]> {
  return step(run, { kind: "clean", title: "clean", untouchable: true }, async () => {
    const { engine, store, clock } = run.ports;
    const dropped: string[] = [];
    const over = retired(await engine.managed(), {
      previousKept: run.project.previousKept,
      fingerprint,
      live: engine.database,
    });
    for (const old of over) {
      try {
        await engine.drop(old);
        dropped.push(old.name);
      } catch (error) {
        warn(run, `${old.name} could not be dropped: ${messageOf(error)}`);
      }
    }
    for (const id of retention(await store.list(), { ...run.project.backups, now: clock.now() })) {
      await store.remove(id);
      dropped.push(id);
    }
    return {
      value: dropped,
      title: dropped.length === 0 ? "clean    nothing to drop" : `clean    ${dropped.length} dropped`,
      ...(dropped.length === 0 ? {} : { note: dropped.join(", ") }),
    };
  });
}

/** `replant clean`: applies the quotas now. `all` drops previous databases and baselines too. */
export async function clean(
  ports: Ports,
  project: Project,
  { all }: { all: boolean },
): Promise<{ run: string; dropped: string[] }> {
  return withRun({ ports, project, command: "clean" }, async (run) => {
    const dropped = await cleanUp(
      { ...run, project: all ? { ...project, previousKept: 0 } : project },
      { fingerprint: null },
    );
    if (!all) return { run: run.id, dropped };
    for (const baseline of await ports.engine.managed()) {
      if (baseline.role !== "baseline" || baseline.live !== ports.engine.database) continue;
      await ports.engine.drop(baseline);
      dropped.push(baseline.name);
    }
    return { run: run.id, dropped };
  });
}
