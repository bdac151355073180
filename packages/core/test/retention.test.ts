import type { BackupSummary } from "../src/index.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backupId, backupTimeMs, retention } from "../src/index.ts";

const dayMs = 24 * 60 * 60 * 1000;
const now = Date.UTC(2026, 10, 20, 9, 41, 2, 123);

test("an id is the time to the millisecond and the run's end", () => {
  expect(backupId(now, "20261120T094102123Z-a81f")).toBe("2026-11-20T09-41-02-123Z-a81f");
  expect(backupTimeMs("2026-11-20T09-41-02-123Z-a81f")).toBe(now);
  expect(backupTimeMs("2026-99-20T09-41-02-123Z-a81f")).toBeNaN();
});

test.each([
  [now, "run"],
  [now, "20261120T094102123Z-A81F"],
  [now, "x-../."],
  [Date.UTC(10_000, 0), "x-a81f"],
])("no id is made of %j and %j", (time, run) => {
  expect(() => backupId(time, run)).toThrow("no backup id can be made");
});

/** A backup of some days ago; `g` good, `d` damaged, `l` good and latest, `n` good and labelled. */
function summary(kind: string, ageDays: number): BackupSummary {
  const id = backupId(now - ageDays * dayMs, "x-a81f");
  return {
    id,
    sequence: 1000 - ageDays,
    label: kind === "n" ? "named" : null,
    createdAt: new Date(now - ageDays * dayMs).toISOString(),
    tables: 6,
    keptRows: 39,
    storedBytes: 4000,
    database: "app",
    lastMigration: null,
    latest: kind === "l",
    verifiedAt: null,
    damage: kind === "d" ? "its manifest is missing" : null,
  };
}

const ages = (backups: string, keepLast: number, maxAgeDays: number): number[] => {
  const summaries = backups.split(" ").map((word) => summary(word.slice(0, 1), Number(word.slice(1))));
  return retention(summaries, { keepLast, maxAgeDays, now }).map((id) => Math.round((now - backupTimeMs(id)) / dayMs));
};

test.each([
  ["the newest stay", "g0 g1 g2 g3", 2, 14, [2, 3]],
  ["in any order of listing", "g3 g0 g2 g1", 2, 14, [2, 3]],
  ["what is too old goes", "g0 g13 g15 g20", 20, 14, [15, 20]],
  ["a damaged one takes no place", "d0 d1 g2 g3 g4", 2, 14, [4]],
  ["a damaged one goes when it is too old", "g0 d1 d20", 20, 14, [20]],
  ["the newest good one stays, however old", "d90 g100 g200", 20, 14, [90, 200]],
  ["the newest good one stays when none is to be kept", "d0 g1 g2", 0, 0, [2]],
  ["fewer than none is none", "g0 g1 g2", -1, 14, [1, 2]],
  ["what latest means stays", "g0 g1 l2 g3", 1, 1, [1, 3]],
  ["a labelled one stays, and takes no place", "g0 n1 g2 n90 g3", 2, 14, [3]],
  ["nothing goes of nothing much", "g0", 20, 14, []],
])("%s: %s, keep %i, %i days", (_, backups, keepLast, maxAgeDays, removed) => {
  expect(ages(backups, keepLast, maxAgeDays)).toEqual(removed);
});

test("a clock that was a year behind for one backup costs neither it nor the older ones", () => {
  const made = (sequence: number, ageDays: number): BackupSummary => ({ ...summary("g", ageDays), sequence });
  const removed = (backups: BackupSummary[], keepLast: number): number[] =>
    retention(backups, { keepLast, maxAgeDays: 14, now }).map((id) => Math.round((now - backupTimeMs(id)) / dayMs));
  // The third of four was made while the clock was behind: it is as old as the second, whatever its id says.
  expect(removed([made(1, 3), made(2, 2), made(3, 365), made(4, 1)], 20)).toEqual([]);
  expect(removed([made(1, 3), made(2, 2), made(3, 365), made(4, 1)], 2)).toEqual([2, 3]);
  expect(removed([made(1, 3), made(2, 365)], 1)).toEqual([3]);
  expect(removed([made(1, 40), made(2, 365), made(3, 1)], 20)).toEqual([365, 40]);
});

test("whatever the rule, the newest good backup is not removed and nothing else is made up", () => {
  const backups = fc.uniqueArray(fc.tuple(fc.constantFrom("g", "d", "l"), fc.nat(400)), { selector: ([, age]) => age });
  fc.assert(
    fc.property(backups, fc.integer({ min: -1, max: 30 }), fc.nat(400), (kinds, keepLast, maxAgeDays) => {
      const summaries = kinds.map(([kind, age]) => summary(kind, age));
      const removed = retention(summaries, { keepLast, maxAgeDays, now });
      const ids = summaries.map(({ id }) => id);
      const newestGood =
        summaries.filter(({ damage }) => damage === null).toSorted((a, b) => (a.id < b.id ? 1 : -1))[0]?.id ?? "";
      expect(removed).not.toContain(newestGood);
      expect(ids).toEqual(expect.arrayContaining(removed));
    }),
  );
});
