import type { BackupEntry, BackupReader } from "@replant/core";
import type { BackupDifference } from "../src/inspect/index.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareBackups } from "../src/inspect/index.ts";
import { writeDocument } from "../src/json/index.ts";
import { createTally } from "../src/inspect/tally.ts";
import { copyLines, decodeRow, encodeRow } from "../src/text/index.ts";
import { binaryCopy, chunks, firstId, newStore, sampleManifest, samplePart, sampleTable, secondId } from "./sample.ts";

const users = sampleTable("users");
const keyless = { ...sampleTable("log"), keys: [] };

async function backupOf(store: ReturnType<typeof newStore>["store"], id: string, parts: [object, string | Buffer][]) {
  const writer = await store.create(id);
  for (const [index, [part, text]] of parts.entries()) {
    await writer.add({ ...samplePart(`t000${index + 1}`), ...part }, chunks(text));
  }
  await writer.seal(sampleManifest(id));
  return store.open(id);
}

async function differences(
  before: [object, string | Buffer][],
  after: [object, string | Buffer][],
): Promise<BackupDifference[]> {
  const { store } = newStore();
  const [from, to] = [await backupOf(store, firstId, before), await backupOf(store, secondId, after)];
  const found: BackupDifference[] = [];
  for await (const difference of compareBackups(from, to)) found.push(difference);
  return found;
}

test("rows are compared by primary key", async () => {
  const [found] = await differences(
    [[{ table: users }, "1\ta\n2\tb\n3\t\\N\n4\td\n"]],
    [[{ table: users }, "4\td\n2\tB\n3\t\n5\te\n6\tf\n"]],
  );
  expect(found).toEqual({
    table: "users",
    key: ["id"],
    added: 2,
    removed: 1,
    changed: 2,
    same: 1,
    addedColumns: [],
    removedColumns: [],
  });
});

test("without a key whole rows are counted, as often as they stand there", async () => {
  const [found] = await differences(
    [[{ table: keyless }, "1\ta\n1\ta\n1\ta\n2\tb\n"]],
    [[{ table: keyless }, "1\ta\n2\tb\n2\tb\n3\tc\n"]],
  );
  expect(found).toMatchObject({ key: null, added: 2, removed: 2, changed: 0, same: 2 });
});

test("columns that only one has are named, the others compared", async () => {
  const [found] = await differences(
    [[{ table: users }, "1\ta\n2\tb\n"]],
    [[{ table: users, columns: ["id"] }, "2\n3\n"]],
  );
  expect(found).toMatchObject({ added: 1, removed: 1, changed: 0, same: 1, removedColumns: ["../../etc/passwd"] });
});

test("tables that only one has, and context rows, which are nobody's", async () => {
  const context = { table: keyless, role: "context" };
  const found = await differences(
    [
      [{ table: users }, "1\ta\n"],
      [context, "1\ta\n"],
    ],
    [[{ table: keyless }, "1\ta\n2\tb\n"]],
  );
  expect(found.map(({ table, added, removed }) => [table, added, removed])).toEqual([
    ["users", 0, 1],
    ["log", 2, 0],
  ]);
});

test("a row with another number of values is damage, not a value", async () => {
  await expect(differences([[{ table: users }, "1\ta\tb\n"]], [[{ table: users }, "1\ta\n"]])).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
  });
});

test("a tally of many rows counts like a map", () => {
  const hash = (number: number): Uint8Array => {
    const bytes = new Uint8Array(16);
    // Few different beginnings, so that slots collide.
    new DataView(bytes.buffer).setUint32(0, number % 7);
    new DataView(bytes.buffer).setUint32(8, number + 1);
    return bytes;
  };
  const tally = createTally();
  for (let n = 0; n < 5000; n++) tally.add(hash(n), hash(n));
  expect(tally.left()).toBe(5000);
  for (let n = 0; n < 5000; n += 2) expect(tally.take(hash(n), hash(n))).toBe("same");
  expect(tally.take(hash(0), hash(0))).toBe("new");
  expect(tally.take(hash(1), hash(2))).toBe("changed");
  expect(tally.take(hash(5001), hash(5001))).toBe("new");
  expect(tally.left()).toBe(2499);
});

async function drained(text: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of text);
}

test("rows in binary form are compared too, by key and whatever the order of columns", async () => {
  const binary = { table: users, copy: "binary" as const };
  const huge = "z".repeat(700_000);
  const before = binaryCopy([["1", huge], ["2", null], ["3", ""], ["4", "d"]]); // prettier-ignore
  const after = binaryCopy([[huge, "1"], ["", "2"], ["", "3"], ["e", "5"]]); // prettier-ignore
  const turned = { ...binary, columns: ["../../etc/passwd", "id"] };
  const [found] = await differences([[binary, before]], [[turned, after]]);
  expect(found).toMatchObject({ key: ["id"], added: 1, removed: 1, changed: 1, same: 2 });
  const [keyed] = await differences(
    [[{ ...binary, table: keyless }, before]],
    [[{ ...binary, table: keyless }, before]],
  );
  expect(keyed).toMatchObject({ key: null, added: 0, removed: 0, changed: 0, same: 4 });
});

test("binary rows are no text: nobody compares them with it, shows them or exports them", async () => {
  const rows = binaryCopy([["1", "a"]]);
  const mixed = differences([[{ table: users }, "1\ta\n"]], [[{ table: users, copy: "binary" }, rows]]);
  const refusal = { code: "REPLANT_BACKUP_BINARY", message: expect.stringContaining("users cannot be read") };
  await expect(mixed).rejects.toMatchObject(refusal);
  const { store } = newStore();
  const reader = await backupOf(store, firstId, [[{ table: users, copy: "binary" }, rows]]);
  const [entry] = reader.manifest.entries;
  if (entry === undefined) throw new Error("one part was written");
  await expect(copyLines(reader, entry)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
  await expect(drained(writeDocument(reader))).rejects.toMatchObject(refusal);
});

test("any values survive the way into COPY text and back, cut anywhere", async () => {
  const value = fc.option(
    fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
    { nil: null },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(value, value), { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      async (rows, size) => {
        const text = Buffer.from(rows.map(encodeRow).join(""));
        const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
          text.subarray(n * size, (n + 1) * size),
        );
        const found: (string | null)[][] = [];
        const reader = { rows: () => chunks(...pieces) } as unknown as BackupReader;
        const entry = { copy: "text" } as BackupEntry;
        for await (const lines of copyLines(reader, entry)) found.push(...lines.map((line) => decodeRow(line, 2)));
        expect(found).toEqual(rows);
      },
    ),
  );
});

test("COPY text is what the server itself would write", () => {
  expect(encodeRow(["\\N", null, "\b\f\n\r\t\v", ""])).toBe("\\\\N\t\\N\t\\b\\f\\n\\r\\t\\v\t\n");
});

test("text that is not UTF-8 is refused, never shown as something else", () => {
  expect(() => decodeRow(Buffer.from([0xff]), 1)).toThrow("not UTF-8");
});
