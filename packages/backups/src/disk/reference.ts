import type { BackupManifest, Files } from "@replant/core";
import { isNewer, isReplantError, ReplantError } from "@replant/core";
import { basename, dirname, join, resolve, sep } from "node:path";
import { damaged } from "../format/damage.ts";
import { backupIds, pointerName } from "./layout.ts";
import { listBackups, openById, pointerOrNull } from "./listing.ts";
import { idsByLabel } from "./notes.ts";
import { readPointer } from "./pointer.ts";
import { isBackupFile, openBackupFile } from "./one-file.ts";
import { directoryPlace, readManifest, type Place } from "./reader.ts";

export interface OpenedBackup {
  readonly place: Place;
  readonly manifest: BackupManifest;
}

const mostItems = 10;

/**
 * Finds a backup by what a person wrote: an id, the beginning of exactly one id, a label, `latest`, `latest~2`, or a path (it
 * has a separator, or ends in `.replant`) of a backup's directory, of a backup in one file, or of a `latest-backup.json`. Only a
 * path can lead out of the store's directory.
 * @throws ReplantError REPLANT_BACKUP_NOT_FOUND | REPLANT_BACKUP_DAMAGED | REPLANT_BACKUP_NEWER, with what is there
 */
export async function openReference(files: Files, store: string, reference: string): Promise<OpenedBackup> {
  if (reference === "latest" || reference === pointerName) return openLatest(files, store);
  if (!isPath(reference)) return openInStore(files, store, reference);
  if (reference.includes("\0")) throw await notFound(files, store, { reference });
  if (basename(reference) === pointerName) return openLatest(files, dirname(reference));
  return withAvailable(files, store, async () => {
    const opened = isBackupFile(reference)
      ? await openBackupFile(files, reference)
      : await openDirectory(files, reference);
    if (opened === null) throw await notFound(files, store, { reference });
    return opened;
  });
}

async function openDirectory(files: Files, path: string): Promise<OpenedBackup | null> {
  const opened = await readManifest(files, path, path);
  return opened === null ? null : { place: directoryPlace(files, path), manifest: opened.manifest };
}

/**
 * The id that a reference means in a store, whether the backup is good or not.
 * @throws ReplantError REPLANT_BACKUP_NOT_FOUND, with what is there
 */
export async function findId(files: Files, store: string, reference: string): Promise<string> {
  if (isPath(reference)) {
    const [parent, id] = [resolve(dirname(reference)), basename(reference)];
    if (parent === resolve(store) && (await backupIds(files, store)).includes(id)) return id;
    throw await notFound(files, store, { reference });
  }
  if (reference === "latest" || reference === pointerName) return (await openLatest(files, store)).manifest.id;
  const back = /^latest~(\d{1,4})$/.exec(reference)?.[1];
  if (back !== undefined) return beforeLatest(files, store, { reference, back: Number(back) });
  const candidates = await matching(files, store, reference);
  const [id, another] = candidates;
  if (id === undefined || another !== undefined) throw await notFound(files, store, { reference, candidates });
  return id;
}

/** Ids that a word may mean. A label has a letter of its own, so it is never the beginning of an id. */
async function matching(files: Files, store: string, word: string): Promise<string[]> {
  if (!/^[0-9A-Za-z-]+$/.test(word)) return [];
  const byId = (await backupIds(files, store)).filter((id) => id.startsWith(word));
  return byId.length > 0 ? byId : idsByLabel(files, store, word);
}

/** `latest~1` is the newest good backup that was made before `latest`. */
async function beforeLatest(
  files: Files,
  store: string,
  { reference, back }: { readonly reference: string; readonly back: number },
): Promise<string> {
  const latest = (await openLatest(files, store)).manifest;
  const older = (await listBackups(files, store)).filter(
    (summary) => summary.damage === null && isNewer(latest, summary),
  );
  const id = back === 0 ? latest.id : older[back - 1]?.id;
  if (id === undefined) throw await notFound(files, store, { reference });
  return id;
}

function isPath(reference: string): boolean {
  return reference.includes("/") || reference.includes(sep) || isBackupFile(reference);
}

async function openInStore(files: Files, store: string, reference: string): Promise<OpenedBackup> {
  const id = await findId(files, store, reference);
  return withAvailable(files, store, async () => {
    const pointer = await pointerOrNull(files, store);
    const { manifest } = await openById(files, store, { id, pointer });
    return { place: directoryPlace(files, join(store, id)), manifest };
  });
}

async function openLatest(files: Files, store: string): Promise<OpenedBackup> {
  return withAvailable(files, store, async () => {
    const pointer = await readPointer(files, store);
    const ids = await backupIds(files, store);
    if (pointer === null) {
      if (ids.length === 0) throw await notFound(files, store, { reference: "latest" });
      throw damaged("latest", `${pointerName} is missing, although there are backups`);
    }
    if (!ids.includes(pointer.id)) throw damaged("latest", `${pointerName} means ${pointer.id}, which is not there`);
    const { manifest } = await openById(files, store, { id: pointer.id, pointer });
    return { place: directoryPlace(files, join(store, pointer.id)), manifest };
  });
}

/** Runs something that reads a backup; where it is refused, the error lists the good ones of the store. */
export async function withAvailable<T>(files: Files, store: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused =
      isReplantError(error) && (error.code === "REPLANT_BACKUP_DAMAGED" || error.code === "REPLANT_BACKUP_NEWER");
    // A store that cannot be listed is no reason to hide why the backup was refused.
    throw refused ? error.with({ items: await goodIds(files, store).catch(() => []) }) : error;
  }
}

async function goodIds(files: Files, store: string): Promise<string[]> {
  const good = (await listBackups(files, store)).filter(({ damage }) => damage === null);
  return good.slice(0, mostItems).map(({ id }) => id);
}

/** The error for a reference that means no backup, or (with `candidates`) more than one. */
export async function notFound(
  files: Files,
  store: string,
  wanted: { readonly reference: string; readonly candidates?: readonly string[] },
): Promise<ReplantError> {
  const candidates = wanted.candidates ?? [];
  const items = candidates.length > 0 ? candidates.slice(0, mostItems) : await goodIds(files, store);
  const shown = JSON.stringify(wanted.reference.slice(0, 200));
  return new ReplantError(
    "REPLANT_BACKUP_NOT_FOUND",
    candidates.length > 0 ? `${shown} means ${candidates.length} backups` : `there is no backup ${shown}`,
    {
      where: store,
      why: "a backup is named by its id, the beginning of one id, its label, `latest`, `latest~1`, or a path",
      hint: items.length > 0 ? "name one of those that are listed" : "make a backup first: `replant backup`",
      items,
    },
  );
}
