import type { BackupSummary } from "../model/backup.ts";
import { backupTimeMs } from "../model/backup-id.ts";
import { newestFirst } from "./newest-first.ts";

export interface RetentionRule {
  /** Good backups beyond this many, newest first, go. */
  readonly keepLast: number;
  /** Backups older than this go, damaged ones too. */
  readonly maxAgeDays: number;
  /** Milliseconds since 1970, UTC. */
  readonly now: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Which backups have served their time. A damaged one stays until it is too old: somebody may want to know what happened
 * to it, and it never takes the place of a good one. The newest good backup, and a good one that `latest` means, stay
 * whatever the rule says, and so does every one that a person gave a label. A backup counts as no older than those that were
 * made before it, so that one made while the clock was a year behind is not gone the next day.
 * @returns ids to remove, newest first
 */
export function retention(summaries: readonly BackupSummary[], rule: RetentionRule): string[] {
  const ordered = newestFirst(summaries);
  const timesMs = latestTimes(ordered);
  const good = ordered.filter(({ damage }) => damage === null);
  const kept = new Set(good.filter(({ label }) => label === null).slice(0, Math.max(0, rule.keepLast)));
  return ordered
    .filter((summary, index) => {
      if (summary.label !== null) return false;
      if (summary.damage === null && (summary === good[0] || summary.latest)) return false;
      const tooOld = rule.now - (timesMs[index] ?? 0) > rule.maxAgeDays * dayMs;
      return tooOld || (summary.damage === null && !kept.has(summary));
    })
    .map(({ id }) => id);
}

/** For each backup the latest time in its own id and in those of the ones before it. */
function latestTimes(ordered: readonly BackupSummary[]): number[] {
  let latestMs = 0;
  return ordered
    .toReversed()
    .map(({ id }) => (latestMs = Math.max(latestMs, backupTimeMs(id) || 0)))
    .toReversed();
}
