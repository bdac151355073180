import type { BackupReader } from "@replant/core";
import { copyBackup } from "@replant/core";
import { resolve } from "node:path";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [reference, target] = requireWords(cli, input, ["a backup", "a directory or a .replant file to copy it into"]);
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const reader = await store.open(reference);
    const location = await copyTo(reader, { target, path: resolve(cli.cwd, target) });
    return {
      document: { id: reader.manifest.id, location },
      text: (style) => [`  ${style.good("copied")} ${location}`],
    };
  });
}

/** Where the copy is, in the words of the person who asked for it. */
async function copyTo(
  reader: BackupReader,
  { target, path }: { readonly target: string; readonly path: string },
): Promise<string> {
  const [{ diskStore, isBackupFile, writeBackupFile }, { nodeFiles }] = await Promise.all([
    import("@replant/backups/disk"),
    import("@replant/node"),
  ]);
  const files = nodeFiles();
  if (isBackupFile(path)) {
    await writeBackupFile(files, reader, path);
    return target;
  }
  const { id } = await copyBackup(reader, diskStore({ directory: path, files, location: target }));
  return `${target}/${id}`;
}
