import { chainRestore, restore } from "@replant/core";
import { seedChoice } from "../../choices.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { nextSteps } from "../../next-steps.ts";
import { swapLines } from "../../render/reports.ts";
import { assertTogether } from "../../together.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags, argument }: Input<typeof specs>): Promise<Outcome> {
  assertTogether({ ...flags, backup: argument !== null }, { chain: ["backup", "fromProject"] });
  return withProject(cli, { changes: true, yes: flags.yes }, async (project) => {
    const { ports, project: settings, authorise } = project;
    const shared = {
      acceptLoss: flags.acceptLoss ?? [],
      keepFailed: flags.keepFailed,
      replay: !flags.noReplay,
    };
    if (flags.chain) await authorise(await ports.engine.probe());
    const report = flags.chain
      ? await chainRestore(ports, settings, { ...shared, choice: seedChoice(flags) })
      : await restore(ports, settings, {
          ...shared,
          backup: argument ?? "latest",
          seeds: seedChoice(flags),
          fromProject: flags.fromProject,
          authorise: (facts) => authorise(facts.target),
        });
    const next = nextSteps(cli, project);
    return { document: report, text: (style) => swapLines(report, { style, next }) };
  });
}
