import type { BackupEntry, BackupManifest, BackupReader, Files } from "@replant/core";
import { ReplantError } from "@replant/core";
import { randomBytes } from "node:crypto";
import { damaged } from "../format/damage.ts";
import { decodeManifest, encodeManifest, manifestMaxBytes } from "../format/manifest.ts";
import { skippableMagic } from "../format/part.ts";
import { hasCode, sizeOrNull } from "./layout.ts";
import { backupReader, type Place } from "./reader.ts";

/** Magic number, length of what follows in the header, and `back`: then the manifest, and the parts one after the other. */
const [headBytes, kind] = [12, "back"];

/** True for a path that means a backup in one file. */
export function isBackupFile(path: string): boolean {
  return /[^/\\]\.replant$/.test(path);
}

/**
 * Opens a backup in one file; null when nothing is at the path. Nothing is unpacked: parts are read where they stand.
 * @param what the id or path for messages
 * @throws ReplantError REPLANT_BACKUP_NEWER | REPLANT_BACKUP_DAMAGED
 */
export async function openBackupFile(
  files: Files,
  path: string,
  what = path,
): Promise<{ readonly place: Place; readonly manifest: BackupManifest } | null> {
  const size = await sizeOrNull(files, path);
  if (size === null) return null;
  const manifestBytes = manifestLength(await readRange(files, path, { offset: 0, lengthBytes: headBytes }));
  if (manifestBytes === null) throw damaged(what, "it does not begin as a backup in one file does");
  if (manifestBytes > manifestMaxBytes) throw damaged(what, "its manifest is larger than a manifest may be");
  if (headBytes + manifestBytes > size) throw damaged(what, "it ends inside its manifest");
  const bytes = await readRange(files, path, { offset: headBytes, lengthBytes: manifestBytes });
  const manifest = decodeManifest(bytes, what);
  const offsets = new Map<string, number>();
  let end = headBytes + manifestBytes;
  for (const { id, storedBytes } of manifest.entries) {
    offsets.set(id, end);
    end += storedBytes;
  }
  if (size !== end) throw damaged(what, `it has ${size} bytes instead of ${end}`);
  return { place: filePlace(files, path, offsets), manifest };
}

function filePlace(files: Files, path: string, offsets: ReadonlyMap<string, number>): Place {
  const offsetOf = ({ id }: BackupEntry): number => offsets.get(id) ?? 0;
  return {
    location: path,
    storedBytes: async (entry) => {
      const size = await sizeOrNull(files, path);
      return size === null ? null : Math.max(0, Math.min(entry.storedBytes, size - offsetOf(entry)));
    },
    stored: (entry) => files.stream(path, { offset: offsetOf(entry), lengthBytes: entry.storedBytes }),
  };
}

/**
 * Writes a backup into one new file, with the very bytes that its store has. The file is shown under its name once it is
 * durable and was read back to its end, so a damaged backup is never copied.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED | REPLANT_BACKUP_EXISTS | REPLANT_DISK_FULL | REPLANT_STORE_UNREADABLE
 */
export async function writeBackupFile(files: Files, reader: BackupReader, path: string): Promise<void> {
  if ((await sizeOrNull(files, path)) !== null) throw fileExists(path);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeBytes(files, reader, temporary);
    const written = await openBackupFile(files, temporary, reader.manifest.id);
    if (written === null) throw damaged(reader.manifest.id, "it was not there to be read back");
    await backupReader(written.place, written.manifest).verify();
    await files.rename(temporary, path).catch((error: unknown) => {
      throw hasCode(error, "EEXIST") || hasCode(error, "ENOTEMPTY") ? fileExists(path) : error;
    });
  } catch (error) {
    await files.remove(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeBytes(files: Files, reader: BackupReader, path: string): Promise<void> {
  const file = await files.create(path);
  try {
    const manifest = encodeManifest(reader.manifest);
    await file.write(Buffer.concat([head(manifest.length), manifest]));
    for (const { id } of reader.manifest.entries) {
      for await (const bytes of reader.stored(id)) await file.write(bytes);
    }
  } finally {
    await file.close();
  }
}

function head(manifestBytes: number): Buffer {
  const bytes = Buffer.alloc(headBytes);
  bytes.writeUInt32LE(skippableMagic, 0);
  bytes.writeUInt32LE(kind.length + manifestBytes, 4);
  bytes.write(kind, 8, "latin1");
  return bytes;
}

/** Bytes of the manifest behind such a head; null when this is none. */
function manifestLength(bytes: Buffer): number | null {
  if (bytes.length < headBytes || bytes.readUInt32LE(0) !== skippableMagic) return null;
  if (bytes.toString("latin1", 8) !== kind) return null;
  const length = bytes.readUInt32LE(4) - kind.length;
  return length < 0 ? null : length;
}

async function readRange(
  files: Files,
  path: string,
  range: { readonly offset: number; readonly lengthBytes: number },
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of files.stream(path, range)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function fileExists(path: string): ReplantError {
  return new ReplantError("REPLANT_BACKUP_EXISTS", "the file is there already, and backups are never overwritten", {
    where: path,
    state: "nothing was written",
    hint: "name another file, or move that one away",
  });
}
