import { describe, expect, test } from "vitest";
import { type Mark, parseMark, renderMark } from "../../src/server/marks.ts";

const mark: Mark = {
  role: "previous",
  live: "a\"p'p",
  run: "r1",
  fingerprint: null,
  createdAt: "2026-11-21T10:15:00.000Z",
  original: "it's \\ the old comment",
};

test("a mark is read as it was written", () => {
  expect(parseMark(renderMark(mark))).toEqual(mark);
  expect(parseMark(renderMark({ ...mark, role: "baseline", fingerprint: "f", original: null }))).toEqual({
    ...mark,
    role: "baseline",
    fingerprint: "f",
    original: null,
  });
});

describe("what is no mark", () => {
  const text = renderMark(mark);
  test.each([
    null,
    "",
    "our shop",
    "{}",
    "null",
    "[]",
    "1",
    '"replant"',
    text.slice(0, -1),
    `${text} `.replace('"replant":1', '"replant":2'),
    text.replace('"replant":1', '"replant":"1"'),
    text.replace('"previous"', '"live"'),
    text.replace('"run":"r1"', '"run":1'),
    text.replace('"fingerprint":null', '"fingerprint":0'),
    text.replace(/,"original":.*/, "}"),
    text.replace(/"live":"[^,]*",/, ""),
  ])("%s", (comment) => {
    expect(parseMark(comment)).toBeNull();
  });
});
