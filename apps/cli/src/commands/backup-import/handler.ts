import { importBackup, ReplantError } from "@replant/core";
import { resolve } from "node:path";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { backupLines } from "../../render/reports.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [file] = requireWords(cli, input, ["a file"]);
  return withProject(cli, { changes: false }, async ({ ports, project }) => {
    const [{ readDocument }, { nodeFiles }] = await Promise.all([
      import("@replant/backups/json"),
      import("@replant/node"),
    ]);
    const [files, path] = [nodeFiles(), resolve(cli.cwd, file)];
    await files.sizeBytes(path).catch((cause: unknown) => {
      throw new ReplantError("REPLANT_USAGE", "the document cannot be read", { where: path, cause });
    });
    const report = await importBackup(ports, project, readDocument(files.stream(path)));
    return { document: report, text: (style) => backupLines(report, style) };
  });
}
