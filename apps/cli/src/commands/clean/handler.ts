import { clean } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { doneLine } from "../../render/reports.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  return withProject(cli, { changes: true, yes: flags.yes }, async ({ ports, project, authorise }) => {
    await authorise(await ports.engine.probe());
    const report = await clean(ports, project, { all: flags.all });
    return {
      document: report,
      text: (style) => [
        ...(report.dropped.length === 0 ? ["  nothing to drop"] : report.dropped.map((name) => `  dropped ${name}`)),
        doneLine(report.run, style),
      ],
    };
  });
}
