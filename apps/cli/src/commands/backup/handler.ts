import { backup, chainBackup } from "@replant/core";
import type { BackupScope } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { openSkeleton } from "../../identity/open.ts";
import { invocationOf } from "../../invocation.ts";
import { backupLines, chainLine } from "../../render/reports.ts";
import { assertTogether } from "../../together.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  assertTogether(flags, { chain: ["all", "tables", "pii"], all: ["tables"], pii: ["all"] });
  return withProject(cli, { changes: flags.chain }, async (project) => {
    const { ports, project: settings } = project;
    if (!flags.chain) {
      const report = await backup(ports, settings, {
        scope: scopeOf(flags),
        skeleton: flags.pii === undefined ? null : await openSkeleton(project),
      });
      return { document: report, text: (style) => backupLines(report, style) };
    }
    const report = await chainBackup(ports, settings, project);
    const next = invocationOf(cli.env, null).replant(["reset", "--chain"]);
    return {
      document: report,
      text: (style) => [...backupLines(report, style).slice(0, -1), chainLine(report.run, { style, next })],
    };
  });
}

function scopeOf({ all, tables }: Input<typeof specs>["flags"]): BackupScope {
  if (all) return { kind: "all" };
  return tables === undefined ? { kind: "keep" } : { kind: "tables", tables };
}
