import type { BackupManifest } from "../model/backup.ts";
import type { BackupReader, BackupStore } from "../ports/store.ts";

/**
 * Copies a backup into another store, under its own id. Every part is verified while it is read and the copy is read back, so
 * a damaged backup is never copied.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED | REPLANT_BACKUP_EXISTS | REPLANT_DISK_FULL | REPLANT_STORE_UNREADABLE
 */
export async function copyBackup(reader: BackupReader, to: BackupStore): Promise<BackupManifest> {
  const { entries, sequence, ...manifest } = reader.manifest;
  const writer = await to.create(manifest.id, { sequence });
  try {
    for (const { id, role, table, columns, copy, digest } of entries) {
      await writer.add({ id, role, table, columns, copy, digest }, reader.rows(id));
    }
    return await writer.seal(manifest);
  } catch (error) {
    await writer.abort().catch(() => undefined);
    throw error;
  }
}
