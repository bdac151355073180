import type { BackupStore, Files } from "@replant/core";
import { join } from "node:path";
import { backupIdPattern } from "@replant/core";
import { backupIds, pointerName, temporaryName } from "./layout.ts";
import { removeLeftovers } from "./leftovers.ts";
import { listBackups, pointerOrNull } from "./listing.ts";
import { changeNote, removeNote } from "./notes.ts";
import { writePointer } from "./pointer.ts";
import { backupReader, readManifest } from "./reader.ts";
import { findId, notFound, openReference, withAvailable } from "./reference.ts";
import { backupExists, diskWriter } from "./writer.ts";

export interface DiskStoreOptions {
  /** Made when the first backup is written. */
  readonly directory: string;
  readonly files: Files;
  /** Shown to the person instead of the directory, for example the path as the configuration has it. */
  readonly location?: string;
}

/**
 * Backups in a directory of this machine: one directory per backup, named by its id, and `latest-backup.json`.
 * Several processes may use one store at once. The format stands in docs/formats.md.
 */
export function diskStore(options: DiskStoreOptions): BackupStore {
  const { directory, files } = options;
  return {
    location: options.location ?? directory,
    list: () => listBackups(files, directory),
    create: async (id, options) => {
      if (!backupIdPattern.test(id)) throw new Error(`${JSON.stringify(id)} is no backup id`);
      await files.makeDirectory(directory);
      const names = (await files.list(directory)).map(({ name }) => name);
      if (names.includes(id) || names.includes(temporaryName(id))) throw backupExists(id);
      await removeLeftovers(files, directory, id);
      return diskWriter(files, directory, { id, sequence: options?.sequence ?? null });
    },
    open: async (reference) => {
      const { place, manifest } = await openReference(files, directory, reference);
      const reader = backupReader(place, manifest);
      return { ...reader, verify: () => withAvailable(files, directory, () => reader.verify()) };
    },
    find: (reference) => findId(files, directory, reference),
    annotate: async (id, change) => {
      if (!(await backupIds(files, directory)).includes(id)) throw await notFound(files, directory, { reference: id });
      return changeNote(files, directory, { id, change });
    },
    remove: async (id) => {
      if (!(await backupIds(files, directory)).includes(id)) throw await notFound(files, directory, { reference: id });
      await movePointerAway(files, directory, id);
      // Out of sight in one step: a removal that is cut short leaves no damaged backup behind.
      const temporary = join(directory, temporaryName(id));
      await files.remove(temporary);
      await files.rename(join(directory, id), temporary);
      await removeNote(files, directory, id);
      await files.remove(temporary);
    },
  };
}

/** Before a backup goes, `latest` means the newest good one of the others, or nothing. */
async function movePointerAway(files: Files, directory: string, id: string): Promise<void> {
  if ((await pointerOrNull(files, directory))?.id !== id) return;
  const next = (await listBackups(files, directory)).find((summary) => summary.id !== id && summary.damage === null);
  const opened = next === undefined ? null : await readManifest(files, join(directory, next.id), next.id);
  if (opened === null) await files.remove(join(directory, pointerName));
  else await writePointer(files, directory, { id: opened.manifest.id, sha256: opened.sha256 });
}
