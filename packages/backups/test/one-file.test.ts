import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { writeBackupFile } from "../src/disk/index.ts";
import { readFile } from "./independent-reader.ts";
import { plantPart, resealed, readManifestJson } from "./hostile.ts";
import {
  binaryCopy,
  chunks,
  files,
  firstId,
  newStore,
  readParts,
  sampleManifest,
  samplePart,
  writeBackup,
} from "./sample.ts";

const parts = { t0001: "1\ta\n2\tb\n", t0002: "", t0003: "3\tc\n".repeat(200_000) };

async function sample() {
  const { store, directory } = newStore();
  await writeBackup(store, firstId, parts);
  const path = join(directory, "..", "moved.replant");
  await writeBackupFile(files, await store.open(firstId), path);
  return { store, directory, path, bytes: readFileSync(path) };
}

const openedFile = async (bytes: Uint8Array) => {
  const { store, directory } = newStore();
  const path = join(directory, "..", "some.replant");
  writeFileSync(path, bytes);
  return store.open(path);
};

test("a backup in one file is the same backup, for the owner alone, and opens wherever it lies", async () => {
  const { store, directory, path, bytes } = await sample();
  const [source, moved] = [await store.open(firstId), await store.open(path)];
  expect(moved.manifest).toEqual(source.manifest);
  expect(moved.location).toBe(path);
  await moved.verify();
  expect(await readParts(moved)).toEqual(await readParts(source));
  expect(readFile(bytes)).toEqual(await readParts(source));
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect(readdirSync(join(directory, "..")).toSorted()).toEqual(["backups", "moved.replant"]);
  expect(bytes.length).toBe(
    12 +
      statSync(join(directory, firstId, "manifest.json")).size +
      source.manifest.entries.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  );
  // It is none of the store's, so it can have no label there and cannot be removed.
  await expect(store.find(path)).rejects.toMatchObject({ code: "REPLANT_BACKUP_NOT_FOUND" });
});

test("a file can be copied into a store and into another file", async () => {
  const { store, path, bytes } = await sample();
  const again = `${path.slice(0, -8)}-again.replant`;
  await writeBackupFile(files, await store.open(path), again);
  expect(readFileSync(again).equals(bytes)).toBe(true);
});

test("nothing is overwritten, and what is damaged is not written", async () => {
  const { store, directory, path, bytes } = await sample();
  await expect(writeBackupFile(files, await store.open(firstId), path)).rejects.toMatchObject({
    code: "REPLANT_BACKUP_EXISTS",
  });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  const part = join(directory, firstId, "t0003.copy.zst");
  const whole = readFileSync(part);
  const target = join(directory, "..", "new.replant");
  for (const bad of [whole.with(200, (whole[200] ?? 0) ^ 1), whole.subarray(1), Buffer.concat([whole, whole])]) {
    writeFileSync(part, bad);
    await expect(writeBackupFile(files, await store.open(firstId), target)).rejects.toMatchObject({
      code: "REPLANT_BACKUP_DAMAGED",
      message: expect.stringContaining(firstId),
    });
    expect(readdirSync(join(directory, "..")).toSorted()).toEqual(["backups", "moved.replant"]);
  }
});

test.each([
  ["nothing", (bytes: Buffer) => bytes.subarray(0, 0), "does not begin as"],
  ["half a head", (bytes: Buffer) => bytes.subarray(0, 11), "does not begin as"],
  ["another magic number", (bytes: Buffer) => bytes.with(0, 0), "does not begin as"],
  ["another kind", (bytes: Buffer) => bytes.with(8, 0), "does not begin as"],
  ["a head that is too short", (bytes: Buffer) => bytes.fill(0, 4, 8), "does not begin as"],
  ["a manifest of 4 GB", (bytes: Buffer) => bytes.fill(255, 4, 8), "larger than a manifest may be"],
  ["half a manifest", (bytes: Buffer) => bytes.subarray(0, 200), "ends inside its manifest"],
  [
    "a manifest of another length",
    (bytes: Buffer) => bytes.with(4, (bytes[4] ?? 0) ^ 1),
    "changed after it was written",
  ],
  ["a part that is cut short", (bytes: Buffer) => bytes.subarray(0, -1), "bytes instead of"],
  ["bytes behind its end", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0])]), "bytes instead of"],
])("a file with %s is refused when it is opened", async (_, change, why) => {
  const { bytes } = await sample();
  await expect(openedFile(change(bytes))).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
    message: expect.stringContaining(why),
  });
});

test("one that is changed in a part is refused when it is read, and one of a newer format at once", async () => {
  const { bytes } = await sample();
  const changed = await openedFile(bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1));
  await expect(changed.verify()).rejects.toMatchObject({ code: "REPLANT_BACKUP_DAMAGED" });
  const newer = Buffer.from('{"format":2}\n');
  const head = Buffer.concat([bytes.subarray(0, 12), newer]);
  head.writeUInt32LE(4 + newer.length, 4);
  await expect(openedFile(head)).rejects.toMatchObject({ code: "REPLANT_BACKUP_NEWER" });
});

test("what is no file, is not there, or cannot be read says so", async () => {
  const { store, directory } = newStore();
  await expect(store.open("nowhere.replant")).rejects.toMatchObject({ code: "REPLANT_BACKUP_NOT_FOUND" });
  const path = join(directory, "a.replant");
  mkdirSync(path, { recursive: true });
  await expect(store.open(path)).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
});

test("entries that claim more bytes than there are numbers for are refused", async () => {
  const { store, directory, bytes } = await sample();
  const manifest = readManifestJson(join(directory, firstId));
  const entries = manifest.entries.map((entry) => ({ ...entry, storedBytes: Number.MAX_SAFE_INTEGER }));
  const line = resealed({ ...manifest, entries });
  const file = Buffer.concat([bytes.subarray(0, 12), line, bytes.subarray(-1000)]);
  file.writeUInt32LE(4 + line.length, 4);
  await expect(openedFile(file)).rejects.toMatchObject({ message: expect.stringContaining("bytes instead of") });
  expect(await store.list()).toHaveLength(1);
});

test("binary parts are counted by their rows, and refused when they are none", async () => {
  const { store, directory } = newStore();
  const writer = await store.create(firstId);
  const rows = binaryCopy([["1", "\n\n"], ["2", null]]); // prettier-ignore
  const entry = await writer.add(
    { ...samplePart("t0001"), copy: "binary" },
    chunks(rows.subarray(0, 30), rows.subarray(30)),
  );
  expect(entry).toMatchObject({ rows: 2, copy: "binary", sizeBytes: rows.length });
  await expect(writer.add({ ...samplePart("t0002"), copy: "binary" }, chunks(rows.subarray(0, -1)))).rejects.toThrow(
    "in the middle of a row",
  );
  await writer.seal(sampleManifest(firstId));
  expect((await readParts(await store.open(firstId))).get("t0001")?.equals(rows)).toBe(true);
  const text = Buffer.from("1\ta\n");
  const stored = zstdCompressSync(text);
  plantPart(
    join(directory, firstId),
    [
      { header: { kind: "data", sequence: 0, copyBytes: text.length, storedBytes: stored.length }, stored },
      { header: { kind: "last", sequence: 0, rows: 1, copyBytes: text.length }, stored: new Uint8Array() },
    ],
    { rows: 1, sizeBytes: text.length },
  );
  await expect((await store.open(join(directory, firstId))).verify()).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
    message: expect.stringContaining("is not what COPY writes at frame 0"),
  });
});
