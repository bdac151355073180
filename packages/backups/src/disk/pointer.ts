import type { Files } from "@replant/core";
import { join } from "node:path";
import { matching, object } from "../format/checks.ts";
import { damaged } from "../format/damage.ts";
import { backupIdPattern } from "@replant/core";
import { pointerName, sizeOrNull } from "./layout.ts";

/** What `latest` means: an id, and the digest that tells a backup from another one put in its place. */
export interface Pointer {
  readonly id: string;
  /** sha256 (hex) of all bytes of the backup's `manifest.json`. */
  readonly sha256: string;
}

const maxBytes = 4096;
const pointer = object<Pointer>({ id: matching(backupIdPattern), sha256: matching(/^[0-9a-f]{64}$/) });

/**
 * The store's pointer; null when there is none.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED when the file is anything but a pointer
 */
export async function readPointer(files: Files, store: string): Promise<Pointer | null> {
  const path = join(store, pointerName);
  const size = await sizeOrNull(files, path);
  const bytes = size === null || size > maxBytes ? null : await files.read(path);
  if (size === null) return null;
  try {
    return pointer(JSON.parse(Buffer.from(bytes ?? []).toString()), pointerName);
  } catch (error) {
    throw damaged("latest", `${pointerName} does not hold an id and a digest`, error);
  }
}

export async function writePointer(files: Files, store: string, { id, sha256 }: Pointer): Promise<void> {
  await files.writeAtomic(join(store, pointerName), Buffer.from(`${JSON.stringify({ id, sha256 })}\n`));
}
