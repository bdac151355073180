import { status } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import { statusLines } from "../../render/listings.ts";
import { withProject } from "../../with-project.ts";

export async function handle(cli: Cli): Promise<Outcome> {
  return withProject(cli, { changes: false }, async (project) => {
    const report = await status(project);
    const nowMs = project.ports.clock.now();
    return { document: report, text: (style) => statusLines(report, { style, nowMs }) };
  });
}
