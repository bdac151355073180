/** How every backup is called, and nothing else in a store is. */
export const backupIdPattern = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z-[0-9a-z]{4}$/;

/**
 * The id of a backup that a run makes: `2026-11-20T09-41-02-123Z-a81f`, UTC time to the millisecond and the run's last
 * four characters. Ids sort by time. The alphabet is safe as a file name everywhere.
 * @param nowMs milliseconds since 1970, UTC
 * @param run a run id; it ends in `-` and four of `0-9a-z`
 */
export function backupId(nowMs: number, run: string): string {
  const id = `${new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-")}${run.slice(-5)}`;
  if (!backupIdPattern.test(id)) throw new Error(`no backup id can be made of ${nowMs} and ${JSON.stringify(run)}`);
  return id;
}

/** The time in an id, in milliseconds since 1970, UTC; NaN when the digits are no time. */
export function backupTimeMs(id: string): number {
  return Date.parse(id.slice(0, 24).replace(/T(\d\d)-(\d\d)-(\d\d)-(\d\d\d)Z/, "T$1:$2:$3.$4Z"));
}
