import type { FileWriter } from "@replant/core";
import { ReplantError } from "@replant/core";

/**
 * Writes a file that is whole, or none.
 * @throws ReplantError REPLANT_USAGE when one is there already
 */
export async function writeNewFile(path: string, text: AsyncIterable<string>): Promise<void> {
  const { nodeFiles } = await import("@replant/node");
  const files = nodeFiles();
  const file = await files.create(path).catch((cause: unknown) => {
    throw isThere(cause) ? alreadyThere(path, cause) : cause;
  });
  try {
    await writeAll(file, text);
  } catch (error) {
    await files.remove(path).catch(() => undefined);
    throw error;
  }
}

async function writeAll(file: FileWriter, text: AsyncIterable<string>): Promise<void> {
  try {
    for await (const piece of text) await file.write(Buffer.from(piece));
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
