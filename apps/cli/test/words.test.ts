import { expect, test } from "vitest";
import { age, amount, bytes, cut, duration, plural, seconds, wrap } from "../src/render/words.ts";

test.each([
  [amount(18_220), "18,220"],
  [plural(1, "row"), "1 row"],
  [plural(0, "row"), "0 rows"],
  [plural(1204, "row"), "1,204 rows"],
  [duration(60.6), "61ms"],
  [duration(3_140), "3.1s"],
  [duration(125_400), "2m 05s"],
  [seconds(440), "0.44s"],
  [bytes(576), "576 B"],
  [bytes(8_700_000), "8.7 MB"],
  [bytes(2_500_000_000), "2.5 GB"],
  [cut("abcdefgh", 6), "abc..."],
  [cut("abcdef", 6), "abcdef"],
])("%s", (text, expected) => {
  expect(text).toBe(expected);
});

test.each([
  ["2026-11-20T09:41:00Z", "just now"],
  ["2026-11-20T09:40:00Z", "1 minute ago"],
  ["2026-11-20T06:41:00Z", "3 hours ago"],
  ["2026-11-17T09:41:00Z", "3 days ago"],
  ["never", "at an unknown time"],
])("%s is %s", (iso, expected) => {
  expect(age(iso, Date.parse("2026-11-20T09:41:30Z"))).toBe(expected);
});

test("lines are as wide as the screen allows, and never narrower than they can be", () => {
  const parts = ["users 38", "organizations 6", "memberships 51", "services 22"];
  expect(wrap(parts, { indent: "  ", columns: 40 })).toEqual([
    "  users 38, organizations 6,",
    "  memberships 51, services 22",
  ]);
  for (const line of wrap(parts, { indent: "  ", columns: 40 })) expect(line.length).toBeLessThan(40);
  expect(wrap(["a".repeat(50), "b"], { indent: "", columns: 10 })).toEqual([`${"a".repeat(50)},`, "b"]);
  expect(wrap([], { indent: "", columns: 80 })).toEqual([]);
});
