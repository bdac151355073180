import type { BackupManifest, BackupNote, BackupSummary, Files } from "@replant/core";
import { isReplantError, newestFirst } from "@replant/core";
import { join } from "node:path";
import { damaged } from "../format/damage.ts";
import { backupIds, pointerName } from "./layout.ts";
import { readNote } from "./notes.ts";
import { readPointer, type Pointer } from "./pointer.ts";
import { checkSizes, directoryPlace, readManifest, type OpenedManifest } from "./reader.ts";

/** Codes that are about one backup, and say nothing about the others. */
const unusable: readonly string[] = ["REPLANT_BACKUP_DAMAGED", "REPLANT_BACKUP_NEWER", "REPLANT_STORE_UNREADABLE"];

/** Every backup of a store, newest first. One that cannot be used is listed with the reason. */
export async function listBackups(files: Files, store: string): Promise<BackupSummary[]> {
  const pointer = await pointerOrNull(files, store);
  const summaries: BackupSummary[] = [];
  // One after the other, so that a store of many backups needs no more memory than one of few.
  for (const id of await backupIds(files, store)) {
    const latest = pointer?.id === id;
    const note = await readNote(files, store, id);
    let sequence: number | null = null;
    try {
      const { manifest } = await openById(files, store, { id, pointer });
      sequence = manifest.sequence;
      await checkSizes(directoryPlace(files, join(store, id)), manifest);
      summaries.push(goodSummary(manifest, { latest, note }));
    } catch (error) {
      summaries.push(damagedSummary(id, { sequence, latest, label: note.label, damage: reason(error) }));
    }
  }
  return newestFirst(summaries);
}

/** The number of the next backup: one more than the highest that the store's manifests have. */
export async function nextSequence(files: Files, store: string): Promise<number> {
  let highest = 0;
  for (const id of await backupIds(files, store)) {
    highest = Math.max(highest, (await manifestOrNull(files, store, id))?.sequence ?? 0);
  }
  return Math.min(highest + 1, Number.MAX_SAFE_INTEGER);
}

/** The manifest of what `latest` means; null where it means nothing that can be used. */
export async function latestOrNull(files: Files, store: string): Promise<BackupManifest | null> {
  const pointer = await pointerOrNull(files, store);
  return pointer === null ? null : manifestOrNull(files, store, pointer.id);
}

async function manifestOrNull(files: Files, store: string, id: string): Promise<BackupManifest | null> {
  try {
    return (await readManifest(files, join(store, id), id))?.manifest ?? null;
  } catch (error) {
    if (isReplantError(error) && unusable.includes(error.code)) return null;
    throw error;
  }
}

/** The pointer, or null also when its file is damaged: only who asks for `latest` has to know that. */
export async function pointerOrNull(files: Files, store: string): Promise<Pointer | null> {
  try {
    return await readPointer(files, store);
  } catch (error) {
    if (isReplantError(error) && error.code === "REPLANT_BACKUP_DAMAGED") return null;
    throw error;
  }
}

/**
 * The manifest of the backup that a store has under an id. It must be that backup's own and, where the pointer means it,
 * the very one that the pointer recorded.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED | REPLANT_BACKUP_NEWER
 */
export async function openById(
  files: Files,
  store: string,
  { id, pointer }: { readonly id: string; readonly pointer: Pointer | null },
): Promise<OpenedManifest> {
  const opened = await readManifest(files, join(store, id), id);
  if (opened === null) throw damaged(id, "its manifest is missing");
  if (opened.manifest.id !== id) throw damaged(id, "its manifest belongs to another backup");
  if (pointer?.id === id && pointer.sha256 !== opened.sha256) {
    throw damaged(id, `its manifest is not the one that ${pointerName} recorded`);
  }
  return opened;
}

function goodSummary(manifest: BackupManifest, { latest, note }: { latest: boolean; note: BackupNote }): BackupSummary {
  const kept = manifest.entries.filter(({ role }) => role === "kept");
  return {
    id: manifest.id,
    sequence: manifest.sequence,
    label: note.label,
    createdAt: manifest.createdAt,
    tables: kept.length,
    keptRows: kept.reduce((sum, { rows }) => sum + rows, 0),
    storedBytes: manifest.entries.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    database: manifest.lineage.database,
    lastMigration: manifest.migrations.at(-1)?.name ?? null,
    latest,
    // Nothing gets its id in a store before it was read back.
    verifiedAt: note.damage === null ? (note.verifiedAt ?? manifest.createdAt) : null,
    damage: note.damage,
  };
}

/** What is known of one that cannot be used: what the id says, and the number where its manifest could be read. */
function damagedSummary(
  id: string,
  known: Pick<BackupSummary, "sequence" | "latest" | "label"> & { readonly damage: string },
): BackupSummary {
  const createdAt = id.slice(0, 24).replace(/T(\d\d)-(\d\d)-(\d\d)-/, "T$1:$2:$3.");
  const unknown = { tables: 0, keptRows: 0, storedBytes: 0, database: "", lastMigration: null };
  return { id, createdAt, ...unknown, ...known, verifiedAt: null };
}

/** Why one backup cannot be used; an error that says nothing about files is not its fault and is thrown on. */
function reason(error: unknown): string {
  if (isReplantError(error)) {
    return error.code === "REPLANT_BACKUP_DAMAGED" ? (error.details.why ?? error.message) : error.message;
  }
  if (error instanceof Error && "syscall" in error) return error.message;
  throw error;
}
