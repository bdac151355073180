import type { Files } from "@replant/core";
import { join } from "node:path";
import { backupIdPattern } from "@replant/core";

/** Every name that a disk store makes. None of them comes from a database or from a backup. */
export const manifestName = "manifest.json";
export const writerName = "writer.json";
export const pointerName = "latest-backup.json";

const temporaryPrefix = ".tmp-";

/** The directory of a backup that is being written or removed. */
export function temporaryName(id: string): string {
  return `${temporaryPrefix}${id}`;
}

/** The id in such a name; null for every other name. */
export function temporaryId(name: string): string | null {
  const id = name.slice(temporaryPrefix.length);
  return name.startsWith(temporaryPrefix) && backupIdPattern.test(id) ? id : null;
}

export function partPath(directory: string, part: string): string {
  return join(directory, `${part}.copy.zst`);
}

/** Ids of the backups in a store's directory, good or not, newest first. A link by such a name is no backup. */
export async function backupIds(files: Files, directory: string): Promise<string[]> {
  return (await files.list(directory))
    .filter(({ name, kind }) => kind === "directory" && backupIdPattern.test(name))
    .map(({ name }) => name)
    .toReversed();
}

/** The size of a file; null when nothing is there. */
export async function sizeOrNull(files: Files, path: string): Promise<number | null> {
  try {
    return await files.sizeBytes(path);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** True for an error that says: nothing is at that path. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ["ENOENT", "ENOTDIR"].some((code) => hasCode(error, code) || hasCode(error.cause, code));
}

/** True for an error of Node's with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
