import { undo } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { invocationOf } from "../../invocation.ts";
import { undoLines } from "../../render/reports.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  return withProject(cli, { changes: true, yes: flags.yes }, async (project) => {
    const report = await undo(project.ports, project.project, project);
    const redo = invocationOf(cli.env, project.root).replant(["undo"]);
    return { document: report, text: (style) => undoLines(report, { style, redo }) };
  });
}
