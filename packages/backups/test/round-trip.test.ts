import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  chunks,
  firstId,
  newStore,
  readAll,
  readParts,
  sampleManifest,
  samplePart,
  temporaryDirectory,
  writeBackup,
} from "./sample.ts";
import { readDirectory } from "./independent-reader.ts";

const fromDisk =
  (directory: string, id: string) =>
  (name: string): Buffer =>
    readFileSync(join(directory, id, name));
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** Rows of any bytes but a newline, as COPY sends them in any encoding. */
const copyText = fc
  .array(
    fc
      .uint8Array({ maxLength: 40 })
      .map((row) => Buffer.concat([row.map((byte) => (byte === 10 ? 92 : byte)), Buffer.from("\n")])),
    { maxLength: 30 },
  )
  .map((rows) => Buffer.concat(rows));

test("any COPY text in any chunks comes back byte for byte, here and in a reader made from the page alone", async () => {
  const { store, directory } = newStore();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(copyText, fc.array(fc.nat(200), { maxLength: 5 }), async (text, cuts) => {
      const id = `2026-11-20T09-41-02-123Z-${String(number++).padStart(4, "0")}`;
      const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((end, index) => text.subarray(places[index], end));
      const writer = await store.create(id);
      const entry = await writer.add(samplePart("t0001"), chunks(...pieces));
      const manifest = await writer.seal(sampleManifest(id));
      expect(entry).toMatchObject({ rows: text.filter((byte) => byte === 10).length, sizeBytes: text.length });
      expect(manifest).toEqual({ ...sampleManifest(id), sequence: number, entries: [entry] });
      const reader = await store.open(id);
      expect((await readAll(reader.rows("t0001"))).equals(text)).toBe(true);
      expect(readDirectory(fromDisk(directory, id))).toEqual(new Map([["t0001", text]]));
    }),
    { numRuns: 60 },
  );
});

test("no parts, no rows, one row longer than a frame, and 5 MB in many parts", async () => {
  const { store, directory } = newStore();
  const many = Buffer.from(Array.from({ length: 5000 }, (_, row) => `${row}\t${"x".repeat(995)}\\N\n`).join(""));
  const parts = {
    t0001: "",
    t0002: many,
    t0003: `${"\u00e9".repeat(400_000)}\n`,
    t9999: Buffer.alloc(256 * 1024, "a\n"),
  };
  const manifest = await writeBackup(store, firstId, parts);
  expect(manifest.entries.map(({ rows }) => rows)).toEqual([0, 5000, 1, 128 * 1024]);
  const reader = await store.open("latest");
  await reader.verify();
  const expected = new Map(Object.entries(parts).map(([id, text]) => [id, Buffer.from(text)]));
  for (const found of [await readParts(reader), readDirectory(fromDisk(directory, firstId))]) {
    expect([...found.keys()]).toEqual([...expected.keys()]);
    for (const [part, text] of expected) expect(found.get(part)?.equals(text)).toBe(true);
  }
  const empty = await writeBackup(store, "2026-11-20T09-41-02-124Z-a81f", {});
  expect(empty.entries).toEqual([]);
  expect(statSync(join(directory, firstId, "t0002.copy.zst")).size).toBe(manifest.entries[1]?.storedBytes);
});

test("only the owner can read a backup, and no name comes from a table", async () => {
  const { store, directory } = newStore();
  const writer = await store.create(firstId);
  await writer.add(samplePart("t0001"), chunks("1\ta\n"));
  const temporary = join(directory, `.tmp-${firstId}`);
  for (const path of [directory, temporary]) expect(modeOf(path)).toBe("700");
  for (const name of readdirSync(temporary)) expect(modeOf(join(temporary, name))).toBe("600");
  await writer.seal(sampleManifest(firstId));
  expect(readdirSync(directory)).toEqual([firstId, "latest-backup.json"]);
  expect(readdirSync(join(directory, firstId))).toEqual(["manifest.json", "t0001.copy.zst"]);
  expect(modeOf(join(directory, firstId))).toBe("700");
  for (const path of ["latest-backup.json", `${firstId}/manifest.json`, `${firstId}/t0001.copy.zst`]) {
    expect(modeOf(join(directory, path))).toBe("600");
  }
});

test("rows that end inside a row are not a part", async () => {
  const { store, directory } = newStore();
  const writer = await store.create(firstId);
  await expect(writer.add(samplePart("t0001"), chunks("1\ta\n2\t"))).rejects.toThrow("in the middle of a row");
  await writer.abort();
  expect(readdirSync(directory)).toEqual([]);
});

test("a consumer may stop reading, and read a part twice", async () => {
  const { store } = newStore();
  await writeBackup(store, firstId, { t0001: Buffer.alloc(1_000_000, "a\n") });
  const reader = await store.open(firstId);
  for await (const text of reader.rows("t0001")) {
    expect(text.length).toBe(256 * 1024);
    break;
  }
  expect((await readAll(reader.rows("t0001"))).length).toBe(1_000_000);
  await expect(readAll(reader.rows("t0002"))).rejects.toThrow('has no part "t0002"');
});

test("a part's file is a zstd file: skipping our headers gives the rows", async () => {
  const { store, directory } = newStore();
  await writeBackup(store, firstId, { t0001: "1\ta\n" });
  const file = readFileSync(join(directory, firstId, "t0001.copy.zst"));
  expect(file.subarray(0, 12).toString("hex")).toBe("502a4d183000000064617461");
  expect(file.readUInt32LE(56)).toBe(0xfd2fb528);
});

test("memory stays flat however long a part is", () => {
  const directory = temporaryDirectory();
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  // Random bytes do not compress, so that nothing is small by accident.
  const script = `
    import { randomBytes } from "node:crypto";
    const { diskStore } = await import(${url("../src/disk/index.ts")});
    const { nodeFiles } = await import(${url("../../node/src/index.ts")});
    const block = randomBytes(1024 * 1024).map((byte) => (byte === 10 ? 11 : byte));
    block[block.length - 1] = 10;
    const store = diskStore({ directory: ".", files: nodeFiles() });
    const writer = await store.create("${firstId}");
    const part = ${JSON.stringify(samplePart("t0001"))};
    await writer.add(part, (async function* () { for (let i = 0; i < 160; i++) yield block; })());
    await writer.seal(${JSON.stringify(sampleManifest(firstId))});
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: directory,
    encoding: "utf8",
  });
  expect(child.stderr).toBe("");
  expect(Number(child.stdout)).toBeGreaterThan(0);
  expect(Number(child.stdout)).toBeLessThan(150);
});
