import { closeSync, constants, cpSync, fsyncSync, lstatSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Copies a data directory that nobody has open; shares the blocks where the file system can. Not durable before `syncTree`.
 * Synchronous on purpose: the native copy is several times faster than the asynchronous one (0.1 s for 30 MB).
 */
export function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true, errorOnExist: true, force: false, mode: constants.COPYFILE_FICLONE });
}

/** Makes every file and directory below `root`, and `root` itself, durable. The name of `root` is its parent's affair. */
export function syncTree(root: string): void {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(root);
}

/** Fsyncs one file or directory. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes of all files below `root`; 0 when it is absent. Files that vanish meanwhile do not count. */
export function treeSizeBytes(root: string): number {
  try {
    return readdirSync(root, { withFileTypes: true })
      .map((entry) => {
        const path = join(root, entry.name);
        return entry.isDirectory() ? treeSizeBytes(path) : (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0);
      })
      .reduce((total, size) => total + size, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}
