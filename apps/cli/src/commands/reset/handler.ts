import { chainReset, reset } from "@replant/core";
import type { ResetFacts, ResetPlan } from "@replant/core";
import { seedChoice } from "../../choices.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { requireConsent } from "../../consent.ts";
import { invocationOf } from "../../invocation.ts";
import { nextSteps } from "../../next-steps.ts";
import { preview } from "../../preview.ts";
import { chainLine, migrateLines, swapLines } from "../../render/reports.ts";
import { plural } from "../../render/words.ts";
import { assertTogether } from "../../together.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  assertTogether(flags, { chain: ["force", "dryRun", "set", "acceptLoss", "noReplay", "keepFailed"] });
  const request = {
    mode: flags.force ? "force" : "smart",
    seeds: seedChoice(flags),
    acceptLoss: flags.acceptLoss ?? [],
    replay: !flags.noReplay,
  } as const;
  if (flags.chain) return chainTask(cli, flags.yes);
  if (flags.dryRun) return preview(cli, { request, exitCode: flags.exitCode, yes: flags.yes });
  return withProject(cli, { changes: true, yes: flags.yes }, async (project) => {
    const report = await reset(project.ports, project.project, {
      ...request,
      keepFailed: flags.keepFailed,
      authorise: async (plan, facts) => {
        await project.authorise(facts.target);
        await agree(cli, { plan, facts, yes: project.yes });
      },
    });
    const next = nextSteps(cli, project);
    return { document: report, text: (style) => swapLines(report, { style, next }) };
  });
}

/** A smart reset loses nothing and asks nobody. A forced one leaves rows behind that a smart one would keep. */
async function agree(
  cli: Cli,
  { plan, facts, yes }: { plan: ResetPlan; facts: ResetFacts; yes: string | null },
): Promise<void> {
  if (plan.mode !== "force") return;
  const kept = (facts.live?.tables ?? []).reduce((total, table) => total + (table.keptRows ?? 0), 0);
  if (kept === 0) return;
  const what = `${plural(kept, "row")} that a smart reset would keep would be left behind`;
  await requireConsent(cli, { database: plan.target.database, what, yes });
}

async function chainTask(cli: Cli, yes: string | undefined): Promise<Outcome> {
  return withProject(cli, { changes: true, yes }, async (project) => {
    const report = await chainReset(project.ports, project.project, project);
    const next = invocationOf(cli.env, null).replant(["seed", "--chain"]);
    return {
      document: report,
      text: (style) => [...migrateLines(report, style).slice(0, -1), chainLine(report.run, { style, next })],
    };
  });
}
