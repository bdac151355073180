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

/** Where the parts of one backup lie. */
export interface Place {
  /** Where a person finds it. */
  readonly location: string;
  /** Bytes that are there of a part; null when nothing is. */
  storedBytes(entry: BackupEntry): Promise<number | null>;
  stored(entry: BackupEntry): AsyncIterable<Uint8Array>;
}

/** A directory with one file per part. */
export function directoryPlace(files: Files, directory: string): Place {
  return {
    location: directory,
    storedBytes: ({ id }) => sizeOrNull(files, partPath(directory, id)),
    stored: ({ id }) => files.stream(partPath(directory, id)),
  };
}

/** Compares the sizes of all parts with the manifest. Finds what is missing or cut without reading a part. */
export async function checkSizes(place: Place, manifest: BackupManifest): Promise<void> {
  for (const entry of manifest.entries) await checkSize(place, { backup: manifest.id, entry });
}

async function checkSize(place: Place, part: { backup: string; entry: BackupEntry }): Promise<void> {
  const { backup, entry } = part;
  const size = await place.storedBytes(entry);
  if (size === null) throw damaged(backup, `part ${entry.id} is missing`);
  if (size !== entry.storedBytes) {
    throw damaged(backup, `part ${entry.id} has ${size} bytes instead of ${entry.storedBytes}`);
  }
}

/** A backup whose manifest has been verified. */
export function backupReader(place: Place, manifest: BackupManifest): BackupReader {
  const entryOf = (part: string): BackupEntry => {
    const entry = manifest.entries.find(({ id }) => id === part);
    if (entry === undefined) throw new Error(`backup ${manifest.id} has no part ${JSON.stringify(part)}`);
    return entry;
  };
  async function* rows(part: string): AsyncIterable<Uint8Array> {
    const entry = entryOf(part);
    await checkSize(place, { backup: manifest.id, entry });
    yield* readPart({ backup: manifest.id, entry, stored: place.stored(entry) });
  }

  return {
    manifest,
    location: place.location,
    rows,
    stored: (part) => place.stored(entryOf(part)),
    verify: async () => {
      await checkSizes(place, manifest);
      for (const entry of manifest.entries) {
        const iterator = rows(entry.id)[Symbol.asyncIterator]();
        while ((await iterator.next()).done !== true);
      }
    },
  };
}
