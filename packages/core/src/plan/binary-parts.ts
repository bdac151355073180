import { ReplantError } from "../errors.ts";
import type { BackupManifest } from "../model/backup.ts";
import { tableLabel } from "../model/catalog.ts";

/**
 * Refuses a backup with binary parts that this server might read as other values: their form may change with every major version.
 * @throws ReplantError REPLANT_BACKUP_BINARY naming the tables
 */
export function assertBinaryFits({ id, server, entries }: BackupManifest, serverMajor: number): void {
  const binary = entries.filter(({ copy }) => copy === "binary");
  if (binary.length === 0 || Number.parseInt(server.version, 10) === serverMajor) return;
  throw new ReplantError(
    "REPLANT_BACKUP_BINARY",
    `backup ${id} has binary rows of PostgreSQL ${Number.parseInt(server.version, 10)}, and this server is version ${serverMajor}`,
    {
      items: binary.map(({ table }) => tableLabel(table)),
      why: "values that are too large for text are kept in a form that only an equal major version reads",
      state: "nothing was touched",
      hint: "restore it on a server of that version",
    },
  );
}
