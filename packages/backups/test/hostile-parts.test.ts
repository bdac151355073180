import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import type { DataHeader, Header } from "../src/format/part.ts";
import { plantPart, readManifestJson, resealed, sealed } from "./hostile.ts";
import { firstId, newStore, readAll, sampleTable, secondId, writeBackup } from "./sample.ts";

/* Parts and manifests by somebody who can compute every hash: they must cost no memory, no crash and no wrong row. */

const data = (text: Uint8Array, declared: Partial<DataHeader> = {}): { header: Header; stored: Uint8Array } => {
  const stored = zstdCompressSync(text);
  return {
    header: { kind: "data", sequence: 0, copyBytes: text.length, storedBytes: stored.length, ...declared },
    stored,
  };
};
const last = (rows: number, copyBytes: number): { header: Header; stored: Uint8Array } => ({
  header: { kind: "last", sequence: 0, rows, copyBytes },
  stored: new Uint8Array(),
});
const two = data(Buffer.from("a\n"));

/** A zstd frame of two raw bytes that asks for a window of 128 MiB. */
const wide = Buffer.from("28b52ffd0088110000610a", "hex");

const { columns, foreignKeys } = sampleTable();

async function sample(): Promise<{
  path: string;
  read: () => Promise<Buffer>;
  list: () => Promise<(string | null)[]>;
}> {
  const { store, directory } = newStore();
  await writeBackup(store, firstId, { t0001: "1\ta\n" });
  const path = join(directory, firstId);
  return {
    path,
    read: async () => readAll((await store.open(path)).rows("t0001")),
    list: async () => (await store.list()).map(({ damage }) => damage),
  };
}

test("a part that is right in every way is read, so the refusals below are not for another reason", async () => {
  const { path, read } = await sample();
  plantPart(path, [two, two, last(2, 4)], { rows: 2, sizeBytes: 4 });
  expect((await read()).toString()).toBe("a\na\n");
  const full = data(Buffer.alloc(1024 * 1024, "\n"));
  plantPart(path, [full, last(1024 * 1024, 1024 * 1024)], { rows: 1024 * 1024, sizeBytes: 1024 * 1024 });
  expect((await read()).length).toBe(1024 * 1024);
});

test.each([
  [
    "expands beyond its declared length",
    [data(Buffer.alloc(64 * 1024 * 1024), { copyBytes: 1000 })],
    "cannot be unpacked",
  ],
  ["expands to less than its declared length", [data(Buffer.from("a\n"), { copyBytes: 3 })], "cannot be unpacked"],
  ["declares more than a frame may hold", [data(Buffer.alloc(1024 * 1024 + 1, "\n"))], "changed at frame 0"],
  ["declares no text", [data(new Uint8Array())], "changed at frame 0"],
  [
    "declares more stored bytes than a frame may",
    [data(Buffer.from("a\n"), { storedBytes: 2 ** 32 - 1 })],
    "changed at frame 0",
  ],
  [
    "declares stored bytes that are not there",
    [data(Buffer.from("a\n"), { storedBytes: 1_000_000 })],
    "cut short in frame 0",
  ],
  [
    "asks for a huge window",
    [{ ...two, header: { ...two.header, storedBytes: wide.length } as Header, stored: wide }],
    "cannot be unpacked",
  ],
  ["is no zstd", [{ ...two, stored: Buffer.alloc(two.stored.length, 7) }], "cannot be unpacked"],
  ["has no last frame", [two], "cut short or changed at frame 1"],
  ["skips a number", [two, { ...two, header: { ...two.header, sequence: 2 } }], "changed at frame 1"],
  ["is empty", [], "cut short or changed at frame 0"],
  ["goes on after its end", [two, last(1, 2), two], "goes on after its end"],
  ["says more rows than it has", [two, last(2, 2)], "does not hold the rows"],
  ["says more bytes than it has", [two, last(1, 3)], "does not hold the rows"],
  ["ends inside a row", [data(Buffer.from("ab")), last(0, 2)], "does not hold the rows"],
  ["says more rows than can be counted", [two, last(2 ** 60, 2)], "changed at frame 1"],
  ["says more bytes than can be counted", [two, last(1, 2 ** 60)], "changed at frame 1"],
  ["holds more than the manifest says", [two, two, last(2, 4)], "more than the manifest says"],
])("a part that %s is refused", async (_, frames, why) => {
  const { path, read } = await sample();
  plantPart(path, frames, { rows: 1, sizeBytes: 2 });
  await expect(read()).rejects.toMatchObject({ code: "REPLANT_BACKUP_DAMAGED", message: expect.stringContaining(why) });
});

test.each([
  ["rows", { rows: 3 }],
  ["size", { sizeBytes: 9 }],
  ["digest", { sha256: "0".repeat(64) }],
])("a part whose %s differ from the manifest's is refused at its end", async (_, totals) => {
  const { path, read } = await sample();
  plantPart(path, [two, last(1, 2)], { rows: 1, sizeBytes: 2 });
  const manifest = readManifestJson(path);
  const entries = manifest.entries.map((entry) => ({ ...entry, ...totals }));
  writeFileSync(join(path, "manifest.json"), resealed({ ...manifest, entries }));
  await expect(read()).rejects.toMatchObject({
    message: expect.stringContaining("not the one that the manifest describes"),
  });
});

test("a changed frame is found before any of it is given out", async () => {
  const { store, directory } = newStore();
  const manifest = await writeBackup(store, firstId, { t0001: Buffer.alloc(700_000, "a\n") });
  const file = join(directory, firstId, "t0001.copy.zst");
  const bytes = readFileSync(file);
  // The last frame is 64 bytes long, so this byte is in the third.
  bytes[bytes.length - 70] = (bytes[bytes.length - 70] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect(manifest.entries[0]?.storedBytes).toBe(bytes.length);
  const given: number[] = [];
  const reading = async (): Promise<void> => {
    for await (const text of (await store.open(firstId)).rows("t0001")) given.push(text.length);
  };
  await expect(reading()).rejects.toMatchObject({
    message: expect.stringContaining("part t0001 is changed at frame 2"),
  });
  expect(given).toEqual([256 * 1024, 256 * 1024]);
});

test("another backup's or another part's file is refused although the manifest was made to fit it", async () => {
  const { store, directory } = newStore();
  await writeBackup(store, secondId, { t0001: "1\tb\n" });
  await writeBackup(store, firstId, { t0001: "1\ta\n", t0002: "2\ta\n" });
  const path = join(directory, firstId);
  const manifest = readManifestJson(path);
  for (const [id, part] of [
    [secondId, "t0001"],
    [firstId, "t0002"],
  ] as const) {
    const donor = readManifestJson(join(directory, id)).entries.find((entry) => entry.id === part);
    const bytes = readFileSync(join(directory, id, `${part}.copy.zst`));
    writeFileSync(join(path, "t0001.copy.zst"), bytes);
    const entries = manifest.entries.map((entry) =>
      entry.id === "t0001" ? { ...entry, sha256: donor?.sha256 } : entry,
    );
    writeFileSync(join(path, "manifest.json"), resealed({ ...manifest, entries }));
    const reader = await store.open(path);
    await expect(readAll(reader.rows("t0001"))).rejects.toMatchObject({
      message: expect.stringContaining("part t0001 is changed at frame 0"),
    });
  }
});

test("a bomb costs no memory", async () => {
  const { path } = await sample();
  // 4,096 blocks of zstd, each of which repeats one byte 131,072 times: 512 MiB out of 16 KiB.
  const block = (isLast: number): Buffer =>
    Buffer.from([((131_072 << 3) | 2 | isLast) & 255, ((131_072 << 3) >> 8) & 255, (131_072 << 3) >> 16, 10]);
  const blocks = Array.from({ length: 4096 }, (_, index) => block(index === 4095 ? 1 : 0));
  const stored = Buffer.concat([Buffer.from("28b52ffd0050", "hex"), ...blocks]);
  plantPart(
    path,
    [{ header: { ...data(stored).header, storedBytes: stored.length, copyBytes: 1024 * 1024 } as Header, stored }],
    { rows: 1, sizeBytes: 2 },
  );
  const script = `
    const { diskStore } = await import(${JSON.stringify(new URL("../src/disk/index.ts", import.meta.url).href)});
    const { nodeFiles } = await import(${JSON.stringify(new URL("../../node/src/index.ts", import.meta.url).href)});
    const reader = await diskStore({ directory: ".", files: nodeFiles() }).open(${JSON.stringify(path)});
    const why = await reader.verify().catch((error) => error.details.why);
    console.log(JSON.stringify([why, process.resourceUsage().maxRSS / 1024]));`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  const [why, megabytes] = JSON.parse(child.stdout) as [string, number];
  expect(why).toBe("part t0001 cannot be unpacked at frame 0");
  expect(megabytes).toBeLessThan(300);
});

test.each([
  ["another magic number", (file: Buffer) => file.writeUInt32LE(0xfd2fb528, 0)],
  ["another header length", (file: Buffer) => file.writeUInt32LE(1_000_000_000, 4)],
  ["another kind", (file: Buffer) => file.write("none", 8)],
  ["the kind of the other header", (file: Buffer) => file.write("last", 8)],
  ["a data header where the last one was", (file: Buffer) => file.write("data", file.length - 56)],
])("a frame with %s is refused", async (_, change) => {
  const { path, read } = await sample();
  const file = readFileSync(join(path, "t0001.copy.zst"));
  change(file);
  writeFileSync(join(path, "t0001.copy.zst"), file);
  await expect(read()).rejects.toMatchObject({ code: "REPLANT_BACKUP_DAMAGED" });
});

test("a part that is missing, a link, a directory or of another size is refused, and listed so", async () => {
  const { path, read, list } = await sample();
  const part = join(path, "t0001.copy.zst");
  const bytes = readFileSync(part);
  rmSync(part);
  await expect(read()).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
    details: { why: "part t0001 is missing" },
  });
  expect(await list()).toEqual(["part t0001 is missing"]);
  writeFileSync(join(path, "elsewhere"), bytes);
  symlinkSync(join(path, "elsewhere"), part);
  await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/DAMAGED|UNREADABLE/) });
  rmSync(part);
  mkdirSync(part);
  await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/DAMAGED|UNREADABLE/) });
  rmSync(part, { recursive: true });
  writeFileSync(part, bytes.subarray(1));
  expect(await list()).toEqual([`part t0001 has ${bytes.length - 1} bytes instead of ${bytes.length}`]);
});

test("a manifest too large to be held is not read", async () => {
  const { path, read, list } = await sample();
  truncateSync(join(path, "manifest.json"), 65 * 1024 * 1024);
  await expect(read()).rejects.toMatchObject({ details: { why: "its manifest is larger than a manifest may be" } });
  expect(await list()).toEqual(["its manifest is larger than a manifest may be"]);
});

test.each([
  ["empty", ""],
  ["longer than 63 bytes", "\u00e9".repeat(32)],
  ["with a NUL", "a\0b"],
  ["no text", 7],
])("a name that is %s is refused wherever it stands, under a right seal", async (_, name) => {
  const { path, read } = await sample();
  const manifest = readManifestJson(path);
  const [entry] = manifest.entries;
  const withTable = (table: object): object => ({
    ...manifest,
    entries: [{ ...entry, table: { ...entry?.table, ...table } }],
  });
  const [column] = entry?.table.columns ?? [];
  const hostile: object[] = [
    { ...manifest, lineage: { ...manifest.lineage, database: name } },
    { ...manifest, entries: [{ ...entry, columns: [name] }] },
    withTable({ schema: name }),
    withTable({ name }),
    withTable({ columns: [{ ...column, name }] }),
    withTable({ columns: [{ ...column, enumLabels: [name] }] }),
    withTable({ keys: [{ name, columns: ["id"], primary: true }] }),
    withTable({ foreignKeys: [{ ...foreignKeys[0], target: { schema: "public", name } }] }),
    withTable({ foreignKeys: [{ ...foreignKeys[0], targetColumns: [name] }] }),
  ];
  for (const content of hostile) {
    writeFileSync(join(path, "manifest.json"), resealed(content));
    await expect(read()).rejects.toMatchObject({
      code: "REPLANT_BACKUP_DAMAGED",
      message: expect.stringContaining(" is not a "),
    });
  }
});

test.each<[string, (entry: Record<string, unknown>, table: Record<string, unknown>) => Record<string, unknown>]>([
  ["columns that the table does not have", (entry) => ({ ...entry, columns: ["id", "other"] })],
  ["a generated column", (entry) => ({ ...entry, columns: ["id", "lower"] })],
  ["a column twice", (entry) => ({ ...entry, columns: ["id", "id"] })],
  [
    "a table with a column twice",
    (entry, table) => ({ ...entry, table: { ...table, columns: [...columns, columns[0]] } }),
  ],
  [
    "a key of other columns",
    (entry, table) => ({ ...entry, table: { ...table, keys: [{ name: "k", columns: ["x"], primary: true }] } }),
  ],
  [
    "a foreign key of other columns",
    (entry, table) => ({ ...entry, table: { ...table, foreignKeys: [{ ...foreignKeys[0], columns: ["x"] }] } }),
  ],
  [
    "a foreign key without a partner",
    (entry, table) => ({ ...entry, table: { ...table, foreignKeys: [{ ...foreignKeys[0], targetColumns: [] }] } }),
  ],
  [
    "more columns than a table may have",
    (entry) => ({ ...entry, columns: Array.from({ length: 1601 }, (_, index) => `c${index}`) }),
  ],
  [
    "more keys than anyone has",
    (entry, table) => ({
      ...entry,
      table: { ...table, keys: Array.from({ length: 1001 }, () => sampleTable().keys[0]) },
    }),
  ],
  ["a row estimate below -1", (entry, table) => ({ ...entry, table: { ...table, rowEstimate: -2 } })],
])("an entry with %s is refused under a right seal", async (_, change) => {
  const { path, read } = await sample();
  const manifest = readManifestJson(path);
  const entries = manifest.entries.map((entry) => change({ ...entry }, { ...entry.table }));
  writeFileSync(join(path, "manifest.json"), resealed({ ...manifest, entries }));
  await expect(read()).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
    message: expect.stringContaining("manifest.entries[0]"),
  });
});

test("two entries for one table, a member too many and a member twice are refused under a right seal", async () => {
  const { path, read } = await sample();
  const manifest = readManifestJson(path);
  const file = join(path, "manifest.json");
  writeFileSync(
    file,
    resealed({ ...manifest, entries: manifest.entries.flatMap((entry) => [entry, { ...entry, id: "t0002" }]) }),
  );
  await expect(read()).rejects.toMatchObject({
    message: expect.stringContaining("entries' tables is not free of repetitions"),
  });
  writeFileSync(file, resealed({ ...manifest, extra: 1 }));
  await expect(read()).rejects.toMatchObject({
    message: expect.stringContaining("members that this format does not have"),
  });
  const keep = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`t${index}`, manifest.keep["users"]]));
  writeFileSync(file, resealed({ ...manifest, keep }));
  await expect(read()).rejects.toMatchObject({
    message: expect.stringContaining("manifest.keep is not an object of at most"),
  });
  const [line = ""] = resealed(manifest).toString().split("\n");
  writeFileSync(file, sealed(line.replace('"migrator"', '"migrator":"sql","migrator"')));
  await expect(read()).rejects.toMatchObject({ message: expect.stringContaining("not canonical JSON") });
});

test("a keep rule may have any name, those of Object's own too", async () => {
  const { path, read } = await sample();
  const manifest = readManifestJson(path);
  const rule = { where: null, onConflict: "kept", onMissing: {} };
  // Numbers would come first in an object of the language, and in another order than that of the format.
  const keep = Object.fromEntries(["__proto__", "constructor", "10", "9", "A"].map((label) => [label, rule]));
  writeFileSync(join(path, "manifest.json"), resealed({ ...manifest, keep }));
  expect((await read()).toString()).toBe("1\ta\n");
});
