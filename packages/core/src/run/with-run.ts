import { isReplantError, messageOf } from "../errors.ts";
import type { JournalRecord } from "../model/journal.ts";
import type { Ports, Project, Run } from "./context.ts";
import { append, iso } from "./context.ts";
import { recover } from "./recover.ts";

/**
 * Runs `work` under the lock of live, after recovering what a crashed run left, and journals how it ended.
 * `id` joins an earlier run (a chain); otherwise the run is new.
 */
export async function withRun<Report extends object>(
  { ports, project, command, id }: { ports: Ports; project: Project; command: string; id?: string },
  work: (run: Run) => Promise<Report>,
): Promise<Report> {
  const { clock, engine, journal } = ports;
  const runId = id ?? clock.runId();
  const lock = await engine.lock({
    run: runId,
    command,
    pid: clock.pid,
    host: clock.host,
    since: iso(clock.now()),
  });
  const run: Run = { id: runId, command, ports, project, lock, startedAt: clock.now(), warnings: [] };
  let begun = false;
  try {
    await recover(run, { chain: id ?? null });
    const live = await engine.liveRef();
    await append(run, {
      type: "begin",
      at: iso(clock.now()),
      command,
      live: live?.name ?? "",
      liveId: live?.id ?? null,
      planHash: null,
    });
    begun = true;
    const report = await work(run);
    await append(run, endRecord(run, null, report));
    return report;
  } catch (error) {
    // The journal must not hide the failure that it records.
    if (begun) await append(run, endRecord(run, error, null)).catch(() => undefined);
    throw error;
  } finally {
    await journal.prune(50).catch(() => undefined);
    await lock.release();
  }
}

function endRecord(run: Run, error: unknown, report: object | null): JournalRecord {
  const code = isReplantError(error) ? error.code : error === null ? null : "REPLANT_INTERNAL";
  return {
    type: "end",
    at: iso(run.ports.clock.now()),
    result: error === null ? "ok" : code === "REPLANT_CANCELLED" ? "cancelled" : "failed",
    code,
    message: error === null ? null : messageOf(error),
    summary: report === null ? null : { ...report },
  };
}
