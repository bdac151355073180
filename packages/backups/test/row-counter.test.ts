import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BinaryRows, rowCounter } from "../src/format/row-counter.ts";
import { binaryCopy } from "./sample.ts";

const columns = (count: number): string[] => Array.from({ length: count }, (_, index) => `c${index}`);

/** Rows of a table of 0 to 4 columns, and where the bytes are cut. */
const rowsAndCuts = fc.nat(4).chain((width) =>
  fc.record({
    width: fc.constant(width),
    rows: fc.array(fc.array(fc.option(fc.uint8Array({ maxLength: 30 })), { minLength: width, maxLength: width }), {
      maxLength: 8,
    }),
    cuts: fc.array(fc.nat(400), { maxLength: 8 }),
  }),
);

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

test("binary rows are counted and their values seen whole, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(rowsAndCuts, ({ width, rows, cuts }) => {
      const seen: (Buffer | null)[][] = [];
      let row: (Buffer | null)[] = [];
      const counter = new BinaryRows(width, {
        field: (index, lengthBytes) => {
          expect(index).toBe(row.length);
          row.push(lengthBytes === -1 ? null : Buffer.alloc(0));
        },
        value: (bytes) => row.push(Buffer.concat([row.pop() ?? Buffer.alloc(0), bytes])),
        row: () => {
          seen.push(row);
          row = [];
        },
      });
      for (const piece of cut(binaryCopy(rows), cuts)) counter.push(piece);
      expect([counter.rows, counter.complete]).toEqual([rows.length, true]);
      expect(seen).toEqual(rows.map((values) => values.map((value) => (value === null ? null : Buffer.from(value)))));
    }),
  );
});

test("a part of the binary form is not complete before its trailer, and never behind it", () => {
  const bytes = binaryCopy([["ab", null]]);
  for (let end = 0; end <= bytes.length; end++) {
    const counter = rowCounter({ copy: "binary", columns: columns(2) });
    counter.push(bytes.subarray(0, end));
    expect(counter.complete).toBe(end === bytes.length);
  }
  const counter = rowCounter({ copy: "binary", columns: columns(2) });
  expect(() => counter.push(Buffer.concat([bytes, Buffer.from([0])]))).toThrow("goes on after its trailer");
});

test.each([
  ["another signature", (bytes: Buffer) => bytes.write("PGCOPX"), "head"],
  ["flags", (bytes: Buffer) => bytes.writeInt32BE(0x10000, 11), "head"],
  ["an extension", (bytes: Buffer) => bytes.writeInt32BE(4, 15), "head"],
  ["another number of values", (bytes: Buffer) => bytes.writeInt16BE(3, 19), "3 values instead of 2"],
  ["less than no values", (bytes: Buffer) => bytes.writeInt16BE(-2, 19), "-2 values instead of 2"],
  ["less than no length", (bytes: Buffer) => bytes.writeInt32BE(-2, 21), "no length"],
])("%s is not what COPY writes", (_, change, why) => {
  const bytes = binaryCopy([["ab", null]]);
  change(bytes);
  expect(() => rowCounter({ copy: "binary", columns: columns(2) }).push(bytes)).toThrow(why);
});

test("text is counted by its line ends", () => {
  const counter = rowCounter({ copy: "text", columns: [] });
  expect(counter.complete).toBe(true);
  for (const [piece, rows, complete] of [
    ["a\nb", 1, false],
    ["", 1, false],
    ["\n", 2, true],
  ] as const) {
    counter.push(Buffer.from(piece));
    expect([counter.rows, counter.complete]).toEqual([rows, complete]);
  }
});
