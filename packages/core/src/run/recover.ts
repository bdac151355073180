import type { RunJournal } from "../model/journal.ts";
import type { ManagedDatabase } from "../ports/engine.ts";
import type { Run } from "./context.ts";
import { append, iso } from "./context.ts";

/** What a journal of an unfinished run says about its swap, given what live is now. */
export function outcomeOf(journal: RunJournal, liveId: string | null): "nothing-changed" | "completed" {
  const swap = journal.records.findLast((record) => record.type === "swap");
  return swap?.type === "swap" && swap.candidateId === liveId ? "completed" : "nothing-changed";
}

/** Runs of this database that began and never ended. */
export function unfinishedRuns(journals: readonly RunJournal[], chain: string | null): RunJournal[] {
  return journals.filter(({ run, records }) => {
    if (run === chain || records.length === 0) return false;
    const begin = records.findLastIndex((record) => record.type === "begin");
    const end = records.findLastIndex((record) => record.type === "end" || record.type === "recovered");
    return begin > end;
  });
}

/** Databases that only a run which is over can have left: we hold the lock, so nobody works on them. */
export function orphans(managed: readonly ManagedDatabase[], chain: string | null): ManagedDatabase[] {
  const passing: readonly ManagedDatabase["role"][] = ["building", "candidate", "scratch"];
  return managed.filter(({ role, run }) => passing.includes(role) && run !== chain);
}

/**
 * What every command does first: decides by id how an unfinished run ended, drops what it left, and says so.
 * A chain is spared when this command continues it, and given up otherwise.
 */
export async function recover(run: Run, { chain }: { chain: string | null }): Promise<void> {
  const { engine, journal, clock, emit } = run.ports;
  const open = await journal.readChain();
  if (open !== null && open.run !== chain) {
    await journal.writeChain(null);
    emit({
      type: "notice",
      level: "info",
      text: `the unfinished chain ${open.run} is given up; live was not changed by it`,
    });
  }
  const left = orphans(await engine.managed(), chain);
  for (const database of left) await engine.drop(database);
  const unfinished = unfinishedRuns(await journal.runs(20), chain);
  const liveId = unfinished.length === 0 ? null : ((await engine.liveRef())?.id ?? null);
  for (const entry of unfinished) {
    const outcome = outcomeOf(entry, liveId);
    const dropped = left.filter((database) => database.run === entry.run).map(({ name }) => name);
    await append({ ...run, id: entry.run }, { type: "recovered", at: iso(clock.now()), by: run.id, outcome, dropped });
    emit({ type: "notice", level: "info", text: describeRecovery(entry.run, outcome, dropped) });
  }
}

function describeRecovery(run: string, outcome: "nothing-changed" | "completed", dropped: readonly string[]): string {
  const what =
    outcome === "completed"
      ? "had swapped before it was stopped: its new database is live"
      : "was stopped before its swap: live was not changed";
  return `run ${run} ${what}${dropped.length === 0 ? "" : `; dropped ${dropped.join(", ")}`}`;
}
