import type { Cli } from "./cli.ts";
import { invocationOf } from "./invocation.ts";
import type { OpenProject } from "./project.ts";
import type { NextSteps } from "./render/reports.ts";

/** Where a run that swapped points to. */
export function nextSteps(cli: Cli, { root, resolved }: OpenProject): NextSteps {
  const { replant } = invocationOf(cli.env, root);
  return { undo: replant(["undo"]), serve: resolved.kind === "embedded" ? replant(["serve"]) : null };
}
