import type { ResetPlan } from "@replant/core";
import { assertAgreed, readPlan, ReplantError, requestOf, reset } from "@replant/core";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { nextSteps } from "../../next-steps.ts";
import { swapLines } from "../../render/reports.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [file] = requireWords(cli, input, ["a plan"]);
  const agreed = await readFrom(resolve(cli.cwd, file));
  return withProject(cli, { changes: true, yes: input.flags.yes }, async (project) => {
    const report = await reset(project.ports, project.project, {
      ...requestOf(agreed),
      keepFailed: input.flags.keepFailed,
      authorise: async (plan, facts) => {
        await project.authorise(facts.target);
        assertAgreed(agreed, plan);
      },
    });
    const next = nextSteps(cli, project);
    return { document: report, text: (style) => swapLines(report, { style, next }) };
  });
}

async function readFrom(path: string): Promise<ResetPlan> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ReplantError("REPLANT_PLAN_INVALID", "the plan cannot be read", {
      where: path,
      state: "nothing was touched",
      hint: "make one: replant plan --out plan.json",
      cause,
    });
  });
  return readPlan(parsed(text));
}

/** What is no JSON is no plan. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
