import type { BackupDifference } from "@replant/backups/inspect";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { differenceLines } from "../../render/backup.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [first] = requireWords(cli, input, ["a backup"]);
  const [second = "latest"] = input.further;
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const [from, to] = [await store.open(first), await store.open(second)];
    const { compareBackups } = await import("@replant/backups/inspect");
    const tables: BackupDifference[] = [];
    for await (const difference of compareBackups(from, to)) tables.push(difference);
    return {
      document: { from: from.manifest.id, to: to.manifest.id, tables },
      text: () => differenceLines(tables),
    };
  });
}
