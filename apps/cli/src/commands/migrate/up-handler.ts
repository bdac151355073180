import { migrateLive } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { migrateLines } from "../../render/reports.ts";
import { withProject } from "../../with-project.ts";
import type { upFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof upFlags>): Promise<Outcome> {
  return withProject(cli, { changes: true, yes: flags.yes }, async (project) => {
    const report = await migrateLive(project.ports, project.project, project);
    return { document: report, text: (style) => migrateLines(report, style) };
  });
}
