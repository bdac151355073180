import type { BackupReader, FileWriter } from "@replant/core";
import { ReplantError } from "@replant/core";
import { resolve } from "node:path";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { exportLines } from "../../render/backup.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [reference] = requireWords(cli, input, ["a backup"]);
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const reader = await store.open(reference);
    const [file = `${reader.manifest.id}.json`] = input.further;
    const { textColumns } = await import("@replant/backups/json");
    await writeFile(resolve(cli.cwd, file), reader);
    const document = { backup: reader.manifest.id, file, textColumns: textColumns(reader) };
    return { document, text: (style) => exportLines(document, style) };
  });
}

/** A file that is whole, or none. */
async function writeFile(path: string, reader: BackupReader): Promise<void> {
  const [{ writeDocument }, { nodeFiles }] = await Promise.all([
    import("@replant/backups/json"),
    import("@replant/node"),
  ]);
  const files = nodeFiles();
  const file = await files.create(path).catch((cause: unknown) => {
    throw isThere(cause) ? alreadyThere(path, cause) : cause;
  });
  try {
    await writeAll(file, writeDocument(reader));
  } catch (error) {
    await files.remove(path).catch(() => undefined);
    throw error;
  }
}

async function writeAll(file: FileWriter, document: AsyncIterable<string>): Promise<void> {
  try {
    for await (const piece of document) await file.write(Buffer.from(piece));
  } finally {
    await file.close();
  }
}

function isThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function alreadyThere(path: string, cause: unknown): ReplantError {
  return new ReplantError("REPLANT_USAGE", "the file is there already, and nothing is overwritten", {
    where: path,
    state: "nothing was written",
    hint: "name another file, or move that one away",
    cause,
  });
}
