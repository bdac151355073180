import { describe, expect, test } from "vitest";
import { baselineName, isSiblingName, siblingName } from "../../src/server/names.ts";

const bytes = (text: string): number => Buffer.byteLength(text);

describe("names beside live", () => {
  test("are the live name, the kind and six digits of the run", () => {
    expect(siblingName("app", "next", { run: "r1" })).toMatch(/^app__next_[0-9a-f]{6}$/);
    expect(siblingName("app", "prev", { run: "r1" })).toMatch(/^app__prev_[0-9a-f]{6}$/);
    expect(siblingName("app", "next", { run: "r1" })).not.toBe(siblingName("app", "next", { run: "r2" }));
    expect(siblingName("app", "next", { run: "r1", salt: 1 })).not.toBe(siblingName("app", "next", { run: "r1" }));
  });

  test.each(["a".repeat(63), "é".repeat(31), "日本".repeat(10), "😀".repeat(15)])(
    "of a long live name fit and stay apart: %s",
    (live) => {
      const other = `${Array.from(live).slice(0, -1).join("")}x`;
      const [name, second] = [live, other].map((text) => siblingName(text, "build", { run: "r" }));
      expect(bytes(name!)).toBeLessThanOrEqual(63);
      expect(bytes(name!)).toBeGreaterThan(55);
      expect(name).not.toContain("\ufffd");
      expect(name).not.toBe(second);
      expect(isSiblingName(name!, live)).toBe(true);
      expect(isSiblingName(name!, other)).toBe(false);
    },
  );

  test("are recognised for their own live database alone", () => {
    expect(isSiblingName("app__next_0a1b2c", "app")).toBe(true);
    expect(isSiblingName("app__next_0a1b2c", "ap")).toBe(false);
    expect(isSiblingName("app__next_0a1b2", "app")).toBe(false);
    expect(isSiblingName("app__other_0a1b2c", "app")).toBe(false);
    expect(isSiblingName("app", "app")).toBe(false);
  });
});

test("a baseline is called after its fingerprint, and after its owner where somebody else has that name", () => {
  const fingerprint = "0123456789abcdef".repeat(4);
  expect(baselineName(fingerprint)).toBe("replant_baseline_0123456789abcdef");
  expect(baselineName(fingerprint, "ann")).toMatch(/^replant_baseline_0123456789abcdef_[0-9a-f]{6}$/);
});
