import { ReplantError } from "../errors.ts";
import type { TargetFacts } from "../model/facts.ts";
import type { UndoReport } from "../model/report.ts";
import type { ManagedDatabase } from "../ports/engine.ts";
import type { Ports, Project } from "./context.ts";
import { step } from "./context.ts";
import { withRun } from "./with-run.ts";
import { followUp } from "./follow-ups.ts";
import { swapIn } from "./swap.ts";

/**
 * `replant undo`: the database that was live before the last swap is live again; what was live stays as `previous`, so that undo
 * can be undone. Tells by table how the two differ.
 * @throws ReplantError REPLANT_NOTHING_TO_UNDO
 */
export async function undo(
  ports: Ports,
  project: Project,
  { authorise }: { authorise: (target: TargetFacts, previous: ManagedDatabase) => Promise<void> },
): Promise<UndoReport> {
  return withRun({ ports, project, command: "undo" }, async (run) => {
    const target = await ports.engine.probe();
    const previous = (await ports.engine.managed()).findLast((database) => database.role === "previous");
    const { live } = target;
    if (previous === undefined || live === null) {
      throw new ReplantError("REPLANT_NOTHING_TO_UNDO", `there is no previous database of "${target.database}"`, {
        state: "nothing was touched",
        hint: "replant backups lists what can be restored",
      });
    }
    await authorise(target, previous);
    const differences = await step(run, { kind: "inspect", title: "compare" }, async () => {
      const now = await ports.engine.connect(live);
      const before = await ports.engine.connect(previous).catch(async (error: unknown) => {
        await now.close();
        throw error;
      });
      try {
        const catalog = await ports.engine.catalog(now);
        const found = await ports.rows.difference(now, before, catalog.tables);
        return {
          value: found.map(({ table, ...counts }) => ({
            table: { schema: table.schema, name: table.name },
            ...counts,
          })),
          title: found.length === 0 ? "compared: no table differs" : `compared: ${found.length} tables differ`,
        };
      } finally {
        await now.close();
        await before.close();
      }
    });
    const swapped = await swapIn(run, { candidate: previous, live, fence: null });
    return {
      run: run.id,
      live: target.database,
      previous: swapped.previous?.name ?? null,
      replacedAt: previous.createdAt,
      differences,
      followUps: await followUp(run),
    };
  });
}
