import { findLeftRows, reset } from "@replant/core";
import { seedChoice } from "../../choices.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { nextSteps } from "../../next-steps.ts";
import { swapLines } from "../../render/reports.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags, argument }: Input<typeof specs>): Promise<Outcome> {
  return withProject(cli, { changes: true, yes: flags.yes }, async (project) => {
    const { ports, project: settings, authorise } = project;
    const report = await reset(ports, settings, {
      mode: "smart",
      seeds: seedChoice(flags),
      acceptLoss: flags.acceptLoss ?? [],
      replay: !flags.noReplay,
      keepFailed: flags.keepFailed,
      retry: await findLeftRows(ports, argument),
      authorise: (_plan, facts) => authorise(facts.target),
    });
    const next = nextSteps(cli, project);
    return { document: report, text: (style) => swapLines(report, { style, next }) };
  });
}
