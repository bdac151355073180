import type { BackupEntry, BackupManifest, BackupReader, Files } from "@replant/core";
import { join } from "node:path";
import { damaged } from "../format/damage.ts";
import { decodeManifest, manifestMaxBytes, sha256 } from "../format/manifest.ts";
import { readPart } from "../format/part-reader.ts";
import { manifestName, partPath, sizeOrNull } from "./layout.ts";

export interface OpenedManifest {
  readonly manifest: BackupManifest;
  /** sha256 (hex) of all bytes of `manifest.json`, for the pointer. */
  readonly sha256: string;
}

/**
 * Reads and verifies the manifest in a backup's directory; null when there is none.
 * @param what the id or path for messages
 * @throws ReplantError REPLANT_BACKUP_NEWER | REPLANT_BACKUP_DAMAGED
 */
export async function readManifest(files: Files, directory: string, what: string): Promise<OpenedManifest | null> {
  const path = join(directory, manifestName);
  const size = await sizeOrNull(files, path);
  if (size === null) return null;
  if (size > manifestMaxBytes) throw damaged(what, "its manifest is larger than a manifest may be");
  const bytes = await files.read(path);
  return bytes === null ? null : { manifest: decodeManifest(bytes, what), sha256: sha256(bytes) };
}

/** Compares the sizes of all parts with the manifest. Finds what is missing or cut without reading a part. */
export async function checkSizes(files: Files, directory: string, manifest: BackupManifest): Promise<void> {
  for (const entry of manifest.entries) await checkSize(files, directory, { backup: manifest.id, entry });
}

async function checkSize(files: Files, directory: string, part: { backup: string; entry: BackupEntry }): Promise<void> {
  const { backup, entry } = part;
  const size = await sizeOrNull(files, partPath(directory, entry.id));
  if (size === null) throw damaged(backup, `part ${entry.id} is missing`);
  if (size !== entry.storedBytes) {
    throw damaged(backup, `part ${entry.id} has ${size} bytes instead of ${entry.storedBytes}`);
  }
}

/** A backup in a directory whose manifest has been verified. */
export function backupReader(files: Files, directory: string, manifest: BackupManifest): BackupReader {
  async function* rows(part: string): AsyncIterable<Uint8Array> {
    const entry = manifest.entries.find(({ id }) => id === part);
    if (entry === undefined) throw new Error(`backup ${manifest.id} has no part ${JSON.stringify(part)}`);
    await checkSize(files, directory, { backup: manifest.id, entry });
    yield* readPart({
      backup: manifest.id,
      part: entry.id,
      totals: entry,
      stored: files.stream(partPath(directory, entry.id)),
    });
  }

  return {
    manifest,
    location: directory,
    rows,
    verify: async () => {
      await checkSizes(files, directory, manifest);
      for (const entry of manifest.entries) {
        const iterator = rows(entry.id)[Symbol.asyncIterator]();
        while ((await iterator.next()).done !== true);
      }
    },
  };
}
