import { previewReset } from "@replant/core";
import type { ResetRequest } from "@replant/core";
import type { Cli, Outcome } from "./cli.ts";
import { invocationOf } from "./invocation.ts";
import { planLines } from "./render/plan.ts";
import { resolve } from "node:path";
import { writeNewFile } from "./write-new-file.ts";
import { withProject } from "./with-project.ts";

/** What `reset --dry-run` and `plan` share: the plan as an outcome. Asks nobody and changes nothing. */
export async function preview(
  cli: Cli,
  {
    request,
    exitCode,
    yes,
    out,
  }: { request: ResetRequest; exitCode: boolean; yes?: string | undefined; out?: string | undefined },
): Promise<Outcome> {
  return withProject(cli, { changes: false, yes }, async (project) => {
    const { plan, facts } = await previewReset(project, request);
    const refusal = project.refusal(facts.target);
    if (out !== undefined) await writeNewFile(resolve(cli.cwd, out), lines(JSON.stringify({ plan }, null, 2)));
    const args = out === undefined ? runArguments(cli.argv) : ["apply", out];
    return {
      document: { plan },
      text: (style) => [
        ...planLines(plan, { style, run: invocationOf(cli.env, project.root).replant(args) }),
        ...(refusal === null
          ? []
          : [`  ${style.bad("!")} the run would be refused: ${refusal.code} ${refusal.message}`]),
      ],
      // A reset always makes a new database: there is always something to do.
      exit: exitCode ? 2 : 0,
    };
  });
}

async function* lines(text: string): AsyncIterable<string> {
  yield `${text}\n`;
}

/** The command that executes the plan: the same line without what makes it a rehearsal. */
function runArguments(argv: readonly string[]): string[] {
  const rehearsal = /^--(dry-run|dryRun|exit-code|exitCode|json(=.*)?|debug|no-color|noColor)$/;
  return argv
    .map((word, index) => (index === 0 && word === "plan" ? "reset" : word))
    .filter((word) => !rehearsal.test(word));
}
