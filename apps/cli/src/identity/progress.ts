import type { PullOptions } from "@replant/identity-sync";
import type { Cli } from "../cli.ts";

/** A listing as a step of its own: how far it is can be seen, and it ends when the person wants out. */
export async function listing<Value>(
  cli: Cli,
  work: (options: Required<PullOptions>) => Promise<Value>,
): Promise<Value> {
  const step = "identity";
  const startedAt = performance.now();
  cli.emit({ type: "step-start", step, title: "identity listing" });
  const options: Required<PullOptions> = {
    signal: cli.interruption.signal,
    onProgress: ({ kind, listed, total }) =>
      cli.emit({ type: "progress", step, done: listed, total, unit: `${kind}s` }),
  };
  const ended = (): number => performance.now() - startedAt;
  try {
    const value = await work(options);
    cli.emit({ type: "step-end", step, title: "identity listed", durationMs: ended(), note: null });
    return value;
  } catch (error) {
    cli.emit({ type: "step-failed", step, title: "identity listing", durationMs: ended() });
    throw error;
  }
}
