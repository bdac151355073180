import type { Files } from "@replant/core";
import { ReplantError } from "@replant/core";

/** Reads a small JSON file of ours. null when it is absent. */
export async function readRecord<T>(
  files: Files,
  path: string,
  check: (value: Record<string, unknown>) => T | null,
): Promise<T | null> {
  const bytes = await files.read(path);
  if (bytes === null) return null;
  const checked = asObject(bytes, check);
  if (checked !== null) return checked;
  throw new ReplantError("REPLANT_CONNECTION_FAILED", `${path} is damaged`, {
    where: path,
    why: "Replant writes this file in one piece, so something else has changed it",
    hint: "put the file back from a copy, or restore the last backup into a new directory",
  });
}

function asObject<T>(bytes: Uint8Array, check: (value: Record<string, unknown>) => T | null): T | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null ? check(value as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Writes one in a single durable step. */
export async function writeRecord(files: Files, path: string, value: object): Promise<void> {
  await files.writeAtomic(path, Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
}
