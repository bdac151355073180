import { isReplantError, ReplantError } from "../errors.ts";
import type { DatabaseRef, Fence, SwapResult } from "../ports/engine.ts";
import type { Run } from "./context.ts";
import { append, iso, nameOf, step } from "./context.ts";

/**
 * The one step that changes what live means. Runs to its end whatever the person presses; when the answer is lost, the outcome
 * is decided by what the name live means afterwards.
 * @throws ReplantError REPLANT_SWAP_FAILED (live is what it was) | REPLANT_IN_DOUBT
 */
export async function swapIn(
  run: Run,
  { candidate, live, fence }: { candidate: DatabaseRef; live: DatabaseRef | null; fence: Fence | null },
): Promise<SwapResult> {
  return step(run, { kind: "swap", title: "swap", untouchable: true }, async () => {
    await run.lock.assertHeld();
    const at = iso(run.ports.clock.now());
    await append(run, { type: "swap", at, liveId: live?.id ?? null, candidateId: candidate.id });
    const result = await trySwap(run, { candidate, live, fence, run: run.id, at });
    const name = result.previous === null ? "" : nameOf(run, result.previous);
    const kept = result.previous === null ? "" : `, previous kept${name === "" ? "" : ` as${name}`}`;
    return {
      value: result,
      title: `swap     ${run.ports.engine.database} is the new database${kept}`,
      ...(result.endedSessions === 0 ? {} : { note: `${result.endedSessions} connections ended` }),
    };
  });
}

async function trySwap(run: Run, request: Parameters<Run["ports"]["engine"]["swap"]>[0]): Promise<SwapResult> {
  const { engine } = run.ports;
  try {
    return await engine.swap(request);
  } catch (error) {
    if (isReplantError(error)) throw error;
    return resolveDoubt(run, request, error);
  }
}

async function resolveDoubt(
  run: Run,
  request: Parameters<Run["ports"]["engine"]["swap"]>[0],
  cause: unknown,
): Promise<SwapResult> {
  const { engine } = run.ports;
  const now = await engine.liveRef().catch(() => undefined);
  if (now?.id === request.candidate.id) {
    const previous = (await engine.managed()).find(({ id }) => id === request.live?.id) ?? null;
    return { previous, endedSessions: 0 };
  }
  if (now !== undefined && (now?.id ?? null) === (request.live?.id ?? null)) {
    throw new ReplantError("REPLANT_SWAP_FAILED", "the server ended the swap before it committed", { cause });
  }
  throw new ReplantError("REPLANT_IN_DOUBT", "the connection was lost during the swap and the server does not answer", {
    cause,
    state: "either the old or the new database is live, complete in both cases; both are kept",
    hint: "replant status says which one, as soon as the server answers",
  });
}
