import type { BackupEntry, BackupManifest, BackupWriter, Files } from "@replant/core";
import { isNewer, ReplantError } from "@replant/core";
import { join } from "node:path";
import { damaged } from "../format/damage.ts";
import { partIdPattern } from "../format/manifest-shape.ts";
import { encodeManifest } from "../format/manifest.ts";
import { writePart } from "../format/part-writer.ts";
import { hasCode, manifestName, partPath, temporaryName, writerName } from "./layout.ts";
import { latestOrNull, nextSequence } from "./listing.ts";
import { writePointer } from "./pointer.ts";
import { processMark } from "./process-mark.ts";
import { backupReader, directoryPlace, readManifest } from "./reader.ts";

/**
 * Begins a backup in a temporary directory of the store. Nothing is shown under its id before it is whole, durable and
 * read back.
 * @param sequence the number of a backup that comes from elsewhere; null for one that is made now
 * @throws ReplantError REPLANT_BACKUP_EXISTS
 */
export async function diskWriter(
  files: Files,
  store: string,
  { id, sequence }: { readonly id: string; readonly sequence: number | null },
): Promise<BackupWriter> {
  const [temporary, final] = [join(store, temporaryName(id)), join(store, id)];
  const entries: BackupEntry[] = [];
  let state: "open" | "shown" | "closed" = "open";
  await files.makeDirectory(temporary);
  await writeMark(files, temporary, id);

  const mustBeOpen = (): void => {
    if (state !== "open") throw new Error(`backup ${id} was sealed or aborted`);
  };
  const show = async (): Promise<BackupManifest> => {
    const written = await readManifest(files, temporary, id);
    if (written === null) throw damaged(id, "its manifest is missing");
    await backupReader(directoryPlace(files, temporary), written.manifest).verify();
    await files.rename(temporary, final).catch((error: unknown) => {
      throw hasCode(error, "EEXIST") || hasCode(error, "ENOTEMPTY") ? backupExists(id) : error;
    });
    // From here on the backup is whole and stays, also if the pointer cannot be moved.
    state = "shown";
    const latest = sequence === null ? null : await latestOrNull(files, store);
    if (latest === null || isNewer(written.manifest, latest)) {
      await writePointer(files, store, { id, sha256: written.sha256 });
    }
    return written.manifest;
  };

  return {
    add: async (part, rows) => {
      mustBeOpen();
      if (!partIdPattern.test(part.id)) throw new Error(`${JSON.stringify(part.id)} is no part id`);
      const file = await files.create(partPath(temporary, part.id));
      let totals;
      try {
        totals = await writePart({ backup: id, part, write: (bytes) => file.write(bytes) }, rows);
      } finally {
        await file.close();
      }
      const entry = { ...part, ...totals };
      entries.push(entry);
      return entry;
    },
    seal: async (manifest) => {
      mustBeOpen();
      if (manifest.id !== id) throw new Error(`the manifest of ${manifest.id} does not belong to backup ${id}`);
      await files.remove(join(temporary, writerName));
      // Makes the names of all parts durable too: it is the last one written into their directory.
      const number = sequence ?? (await nextSequence(files, store));
      await files.writeAtomic(
        join(temporary, manifestName),
        encodeManifest({ ...manifest, sequence: number, entries }),
      );
      return show();
    },
    abort: async () => {
      if (state !== "open") return;
      await files.remove(temporary);
      state = "closed";
    },
  };
}

/** Tells who writes here. Made exclusively, so that of two writers of one id the second finds out. */
async function writeMark(files: Files, temporary: string, id: string): Promise<void> {
  const mark = Buffer.from(`${JSON.stringify(await processMark(process.pid))}\n`);
  const file = await files.create(join(temporary, writerName)).catch((error: unknown) => {
    throw hasCode(error, "EEXIST") ? backupExists(id) : error;
  });
  try {
    await file.write(mark).finally(() => file.close());
  } catch (error) {
    // From here on the directory is ours, and nobody else could abort it.
    await files.remove(temporary);
    throw error;
  }
}

export function backupExists(id: string): ReplantError {
  return new ReplantError("REPLANT_BACKUP_EXISTS", `backup ${id} is there already, or is being written`, {
    where: id,
    why: "backups are never overwritten",
    hint: "run the command again; it takes a new id",
  });
}
