import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backupId, isNewer, newestFirst } from "../src/index.ts";

const at = (day: number): string => backupId(Date.UTC(2026, 10, day), "x-a81f");
const order = (...backups: [day: number, sequence: number | null][]): (number | null)[] =>
  newestFirst(backups.map(([day, sequence]) => ({ id: at(day), sequence }))).map(({ id, sequence }) =>
    sequence === null ? -Number(id.slice(8, 10)) : sequence,
  );

test("the number decides, the time between equal numbers, and one without a number stands where its time puts it", () => {
  expect(order([1, 1], [3, 2], [2, 3])).toEqual([3, 2, 1]);
  expect(newestFirst([1, 2].map((day) => ({ id: at(day), sequence: 5 })))[0]?.id).toBe(at(2));
  expect(order([1, 1], [3, 2], [2, null], [4, null])).toEqual([-4, 2, -2, 1]);
  expect(order([9, 1], [3, null], [2, null])).toEqual([1, -3, -2]);
  expect(isNewer({ id: at(1), sequence: 2 }, { id: at(5), sequence: 1 })).toBe(true);
});

test("the order does not depend on that of the list, and loses nobody", () => {
  const backup = fc.record({ id: fc.nat(27).map((day) => at(day + 1)), sequence: fc.option(fc.nat(9)) });
  fc.assert(
    fc.property(fc.uniqueArray(backup, { selector: ({ id }) => id }), (backups) => {
      const ordered = newestFirst(backups);
      expect(newestFirst(backups.toReversed())).toEqual(ordered);
      expect(ordered.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        backups.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      );
    }),
  );
});
