import { copyBackup } from "@replant/core";
import { resolve } from "node:path";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [reference, directory] = requireWords(cli, input, ["a backup", "a directory to copy it into"]);
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const reader = await store.open(reference);
    const [{ diskStore }, { nodeFiles }] = await Promise.all([
      import("@replant/backups/disk"),
      import("@replant/node"),
    ]);
    const to = diskStore({ directory: resolve(cli.cwd, directory), files: nodeFiles(), location: directory });
    const { id } = await copyBackup(reader, to);
    const location = `${to.location}/${id}`;
    return { document: { id, location }, text: (style) => [`  ${style.good("copied")} ${location}`] };
  });
}
