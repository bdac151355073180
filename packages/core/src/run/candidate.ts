import type { DatabaseRef, Fence } from "../ports/engine.ts";
import type { Run } from "./context.ts";
import { append, describeFailure, iso, nameOf, step } from "./context.ts";

/** A candidate that is cloned from a baseline, on record before anything else happens to it. */
export async function cloneCandidate(
  run: Run,
  { baseline, fingerprint, cached }: { baseline: DatabaseRef; fingerprint: string; cached: boolean },
): Promise<DatabaseRef> {
  const { engine, clock } = run.ports;
  return step(run, { kind: "candidate", title: "candidate" }, async () => {
    const candidate = await engine.clone(baseline, {
      role: "candidate",
      run: run.id,
      fingerprint,
      createdAt: iso(clock.now()),
    });
    await append(run, { type: "database", at: iso(clock.now()), role: "candidate", ...candidate });
    return {
      value: candidate,
      title: `candidate${nameOf(run, candidate)} from baseline ${fingerprint.slice(0, 8)}`,
      ...(cached ? { note: "cache hit: migrations and seeds unchanged" } : {}),
    };
  });
}

/**
 * Runs `work` on a candidate. When it fails, the fence is lifted, the candidate is dropped (unless it is to be looked at), and the
 * error says what the user's data is.
 */
export async function withCandidate<Value>(
  run: Run,
  { candidate, live, keepFailed }: { candidate: DatabaseRef; live: DatabaseRef | null; keepFailed: boolean },
  work: (fences: Fence[]) => Promise<Value>,
): Promise<Value> {
  const fences: Fence[] = [];
  try {
    return await work(fences);
  } catch (error) {
    for (const fence of fences) await fence.release().catch(() => undefined);
    throw describeFailure(error, { state: await settleCandidate(run, { candidate, live, keepFailed }) });
  } finally {
    for (const fence of fences) await fence.release().catch(() => undefined);
  }
}

/** Drops what failed, when it certainly is not live, and says what the user's data is. */
async function settleCandidate(
  run: Run,
  { candidate, live, keepFailed }: { candidate: DatabaseRef; live: DatabaseRef | null; keepFailed: boolean },
): Promise<string> {
  const { engine } = run.ports;
  const now = await engine.liveRef().catch(() => undefined);
  if (now === undefined) return `${engine.database} is either what it was or the new database, complete in both cases`;
  if (now?.id === candidate.id) return `the new database is live and complete; what failed came after the swap`;
  const what = live === null ? "there is still no live database" : `${engine.database} was NOT changed`;
  if (keepFailed) return `${what}; the candidate ${candidate.name} was kept to be looked at`;
  const dropped = await engine.drop(candidate).then(
    () => true,
    () => false,
  );
  return `${what}; the candidate ${candidate.name} ${dropped ? "was dropped" : "is left for the next command"}`;
}
