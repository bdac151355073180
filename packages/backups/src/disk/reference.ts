import type { BackupManifest, Files } from "@replant/core";
import { isReplantError, ReplantError } from "@replant/core";
import { basename, dirname, join, sep } from "node:path";
import { damaged } from "../format/damage.ts";
import { backupIds, pointerName } from "./layout.ts";
import { listBackups, openById, pointerOrNull } from "./listing.ts";
import { readPointer } from "./pointer.ts";
import { readManifest } from "./reader.ts";

export interface OpenedBackup {
  /** The backup's directory. */
  readonly path: string;
  readonly manifest: BackupManifest;
}

const mostItems = 10;

/**
 * Finds a backup by what a person wrote: an id, the beginning of exactly one id, `latest`, or a path (it has a separator)
 * of a backup's directory or of a `latest-backup.json`. Only a path can lead out of the store's directory.
 * @throws ReplantError REPLANT_BACKUP_NOT_FOUND | REPLANT_BACKUP_DAMAGED | REPLANT_BACKUP_NEWER, with what is there
 */
export async function openReference(files: Files, store: string, reference: string): Promise<OpenedBackup> {
  if (reference === "latest" || reference === pointerName) return openLatest(files, store);
  if (!reference.includes("/") && !reference.includes(sep)) return openInStore(files, store, reference);
  if (reference.includes("\0")) throw await notFound(files, store, { reference });
  if (basename(reference) === pointerName) return openLatest(files, dirname(reference));
  return withAvailable(files, store, async () => {
    const opened = await readManifest(files, reference, reference);
    if (opened === null) throw await notFound(files, store, { reference });
    return { path: reference, manifest: opened.manifest };
  });
}

async function openInStore(files: Files, store: string, reference: string): Promise<OpenedBackup> {
  const matches = /^[0-9A-Za-z-]+$/.test(reference)
    ? (await backupIds(files, store)).filter((id) => id.startsWith(reference))
    : [];
  const [id, another] = matches;
  if (id === undefined || another !== undefined) throw await notFound(files, store, { reference, candidates: matches });
  return withAvailable(files, store, async () => {
    const pointer = await pointerOrNull(files, store);
    const { manifest } = await openById(files, store, { id, pointer });
    return { path: join(store, id), manifest };
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
    return { path: join(store, pointer.id), manifest };
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
    candidates.length > 0 ? `${candidates.length} backups begin with ${shown}` : `there is no backup ${shown}`,
    {
      where: store,
      why: "a backup is named by its id, the beginning of one id, `latest`, or a path",
      hint: items.length > 0 ? "name one of those that are listed" : "make a backup first: `replant backup`",
      items,
    },
  );
}
