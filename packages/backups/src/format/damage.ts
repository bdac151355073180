import { ReplantError } from "@replant/core";

/** The newest format that this version reads; it reads every one from 1 on. */
export const formatVersion = 1;

/**
 * A backup that must not be used.
 * @param what the id, or the path where no id can be trusted
 * @param why ASCII, without anything out of the backup itself
 */
export function damaged(what: string, why: string, cause?: unknown): ReplantError {
  return new ReplantError("REPLANT_BACKUP_DAMAGED", `backup ${what} is damaged: ${why}`, {
    where: what,
    why,
    hint: "use another backup; `replant backups` lists them",
    cause,
  });
}

/** A backup of a format that was made after this version. */
export function newer(what: string, format: number): ReplantError {
  const message = `backup ${what} has format ${format}; this version of Replant reads formats up to ${formatVersion}`;
  return new ReplantError("REPLANT_BACKUP_NEWER", message, {
    where: what,
    why: "it was written by a newer version of Replant",
    hint: "update Replant, or use a backup that this version wrote; `replant backups` lists them",
  });
}
