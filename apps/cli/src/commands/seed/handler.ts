import { chainSeed, seedLive } from "@replant/core";
import { seedChoice } from "../../choices.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { invocationOf } from "../../invocation.ts";
import { seedListLines } from "../../render/listings.ts";
import { chainLine, seedLines } from "../../render/reports.ts";
import { assertTogether } from "../../together.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  assertTogether(flags, { chain: ["list"] });
  const choice = seedChoice(flags);
  if (flags.list) return list(cli, choice);
  return withProject(cli, { changes: true, yes: flags.yes }, async (project) => {
    const { ports, project: settings, authorise } = project;
    if (!flags.chain) {
      const report = await seedLive(ports, settings, { choice, authorise });
      return { document: report, text: (style) => seedLines(report, style) };
    }
    await authorise(await ports.engine.probe());
    const report = await chainSeed(ports, settings, { choice });
    const next = invocationOf(cli.env, null).replant(["restore", "--chain"]);
    return {
      document: report,
      text: (style) => [...seedLines(report, style).slice(0, -1), chainLine(report.run, { style, next })],
    };
  });
}

/** Without a choice all seeds are listed, those of optional sets too. */
async function list(cli: Cli, choice: ReturnType<typeof seedChoice>): Promise<Outcome> {
  return withProject(cli, { changes: false }, async ({ ports: { seeder } }) => {
    const seeds = choice.sets === null && choice.only === null ? await seeder.list() : await seeder.choose(choice);
    return { document: { seeds }, text: () => seedListLines(seeds) };
  });
}
