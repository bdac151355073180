import type { BackupManifest, BackupNote, BackupSummary, Files } from "@replant/core";
import { isReplantError } from "@replant/core";
import { join } from "node:path";
import { damaged } from "../format/damage.ts";
import { backupIds, pointerName } from "./layout.ts";
import { readNote } from "./notes.ts";
import { readPointer, type Pointer } from "./pointer.ts";
import { checkSizes, readManifest, type OpenedManifest } from "./reader.ts";

/** Every backup of a store, newest first. One that cannot be used is listed with the reason. */
export async function listBackups(files: Files, store: string): Promise<BackupSummary[]> {
  const pointer = await pointerOrNull(files, store);
  const summaries: BackupSummary[] = [];
  for (const id of await backupIds(files, store)) {
    const latest = pointer?.id === id;
    const note = await readNote(files, store, id);
    try {
      const { manifest } = await openById(files, store, { id, pointer });
      await checkSizes(files, join(store, id), manifest);
      summaries.push(goodSummary(manifest, { latest, note }));
    } catch (error) {
      summaries.push(damagedSummary(id, { latest, label: note.label, damage: reason(error) }));
    }
  }
  return summaries;
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

/** What is known without a manifest: only what the id says. */
function damagedSummary(
  id: string,
  known: { readonly latest: boolean; readonly label: string | null; readonly damage: string },
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
