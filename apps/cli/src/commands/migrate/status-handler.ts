import { migrationStatus } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import { migrationLines } from "../../render/listings.ts";
import { withProject } from "../../with-project.ts";

export async function handle(cli: Cli): Promise<Outcome> {
  return withProject(cli, { changes: false }, async ({ ports }) => {
    const report = await migrationStatus(ports);
    return {
      document: report,
      text: (style) => migrationLines(report, style),
      exit: report.problems.length === 0 ? 0 : 1,
    };
  });
}
