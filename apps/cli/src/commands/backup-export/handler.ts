import { resolve } from "node:path";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { exportLines } from "../../render/backup.ts";
import { writeNewFile } from "../../write-new-file.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [reference] = requireWords(cli, input, ["a backup"]);
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const reader = await store.open(reference);
    const [file = `${reader.manifest.id}.json`] = input.further;
    const { textColumns, writeDocument } = await import("@replant/backups/json");
    await writeNewFile(resolve(cli.cwd, file), writeDocument(reader));
    const document = { backup: reader.manifest.id, file, textColumns: textColumns(reader) };
    return { document, text: (style) => exportLines(document, style) };
  });
}
