import type { BackupSummary } from "../model/backup.ts";

type Numbered = Pick<BackupSummary, "id" | "sequence">;

/**
 * Backups in the order of their making, the last one first: by sequence, because clocks jump, and by id between two that were
 * made at the same moment. One whose manifest cannot be read stands where its id puts it among the others.
 */
export function newestFirst<Backup extends Numbered>(backups: readonly Backup[]): Backup[] {
  const ordered = backups.filter(({ sequence }) => sequence !== null).sort((a, b) => (isNewer(a, b) ? -1 : 1));
  const unknown = backups.filter(({ sequence }) => sequence === null).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const backup of unknown) {
    const after = ordered.findIndex(({ id }) => id < backup.id);
    ordered.splice(after === -1 ? ordered.length : after, 0, backup);
  }
  return ordered;
}

/** True when `a` was made after `b`. */
export function isNewer(a: Numbered, b: Numbered): boolean {
  const [left, right] = [a.sequence ?? 0, b.sequence ?? 0];
  return left === right ? a.id > b.id : left > right;
}
