import type { PullOptions } from "@replant/identity-sync";
import type { Cli } from "../cli.ts";

/** Shows how far a listing is, and ends it when the person wants out. */
export function tellProgress(cli: Cli): Required<PullOptions> {
  return {
    signal: cli.interruption.signal,
    onProgress: ({ kind, listed, total }) => {
      cli.emit({ type: "progress", step: "follow-up", done: listed, total, unit: `${kind}s` });
    },
  };
}
