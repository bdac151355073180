import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { copyBackup } from "@replant/core";
import { expect, test } from "vitest";
import { diskStore } from "../src/disk/index.ts";
import { readManifestJson, resealed, sealed } from "./hostile.ts";
import {
  chunks,
  files,
  firstId,
  newStore,
  readAll,
  sampleManifest,
  samplePart,
  secondId,
  temporaryDirectory,
  writeBackup,
} from "./sample.ts";

const third = "2026-11-21T00-00-00-000Z-c03d";
const parts = { t0001: "1\ta\n2\tb\n", t0002: "3\tc\n" };
const pointerOf = (directory: string): unknown =>
  JSON.parse(readFileSync(join(directory, "latest-backup.json"), "utf8"));

async function threeBackups() {
  const { store, directory } = newStore();
  for (const id of [firstId, secondId, third]) await writeBackup(store, id, parts);
  return { store, directory };
}

test("lists what is there, newest first, with what each holds", async () => {
  const { store, directory } = newStore();
  expect(await store.list()).toEqual([]);
  expect(store.location).toBe(directory);
  expect(diskStore({ directory, files, location: "./backups" }).location).toBe("./backups");
  const writer = await store.create(firstId);
  await writer.add(samplePart("t0001"), chunks("1\ta\n2\tb\n"));
  const context = { ...samplePart("t0002"), role: "context" as const };
  await writer.add(context, chunks("3\tc\n"));
  await writer.seal({ ...sampleManifest(firstId), migrations: [] });
  await writeBackup(store, secondId, parts);
  const stored = (await store.open(firstId)).manifest.entries.map(({ storedBytes }) => storedBytes);
  const common = { createdAt: "2026-11-20T09:41:02.123Z", database: "app", label: null, damage: null };
  const verified = { verifiedAt: common.createdAt };
  expect(await store.list()).toEqual([
    {
      id: secondId,
      sequence: 2,
      tables: 2,
      keptRows: 3,
      storedBytes: expect.any(Number),
      lastMigration: "20260101000000_init",
      latest: true,
      ...common,
      ...verified,
    },
    {
      id: firstId,
      sequence: 1,
      tables: 1,
      keptRows: 2,
      storedBytes: (stored[0] ?? 0) + (stored[1] ?? 0),
      lastMigration: null,
      latest: false,
      ...common,
      ...verified,
    },
  ]);
});

test("opens by id, the beginning of one id, latest, and paths", async () => {
  const { store, directory } = await threeBackups();
  const opened = async (reference: string) => (await store.open(reference)).manifest.id;
  expect(await opened(secondId)).toBe(secondId);
  expect(await opened("2026-11-21")).toBe(third);
  expect(await opened("2026-11-20T09-41-02")).toBe(firstId);
  expect(await opened("latest")).toBe(third);
  expect(await opened("latest-backup.json")).toBe(third);
  expect(await opened(join(directory, firstId))).toBe(firstId);
  expect(await opened(`${join(directory, firstId)}/`)).toBe(firstId);
  expect(await opened(relative(process.cwd(), join(directory, firstId)))).toBe(firstId);
  expect(await opened(join(directory, "latest-backup.json"))).toBe(third);
  const elsewhere = join(temporaryDirectory(), "kept for the demo");
  cpSync(join(directory, firstId), elsewhere, { recursive: true });
  const reader = await store.open(elsewhere);
  expect([reader.manifest.id, reader.location]).toEqual([firstId, elsewhere]);
  await reader.verify();
});

test("a reference that means no backup lists what is there, one that means more lists those", async () => {
  const { store, directory } = await threeBackups();
  const missing = { code: "REPLANT_BACKUP_NOT_FOUND", details: { items: [third, secondId, firstId] } };
  const wrong = [
    "",
    ".",
    "..",
    "2027",
    "2026-11-20T09-41-02-123Z-a81f0",
    "*",
    "a\\b",
    "manifest.json",
    ".tmp-x",
    "\u202e",
  ];
  for (const reference of wrong) await expect(store.open(reference)).rejects.toMatchObject(missing);
  const paths = [
    "./nowhere",
    "/",
    "/dev/null/x",
    `${directory}/..`,
    `${directory}/${firstId}/t0001.copy.zst`,
    "./a\0b",
  ];
  await expect(store.open("")).rejects.toMatchObject({ message: 'there is no backup ""' });
  for (const reference of paths) await expect(store.open(reference)).rejects.toMatchObject(missing);
  await expect(store.open("2026-11-20")).rejects.toMatchObject({
    code: "REPLANT_BACKUP_NOT_FOUND",
    message: '"2026-11-20" means 2 backups',
    details: { items: [secondId, firstId] },
  });
  await expect(newStore().store.open("latest")).rejects.toMatchObject({
    code: "REPLANT_BACKUP_NOT_FOUND",
    details: { items: [], hint: expect.stringContaining("replant backup") },
  });
});

test("at most ten backups are listed", async () => {
  const { store } = newStore();
  for (let index = 10; index < 22; index++) await writeBackup(store, `2026-11-20T09-41-02-123Z-00${index}`, {});
  await expect(store.open("nothing")).rejects.toMatchObject({
    details: { items: expect.toSatisfy((items: string[]) => items.length === 10) },
  });
  await expect(store.open("2026")).rejects.toMatchObject({
    message: '"2026" means 12 backups',
    details: { items: expect.toSatisfy((items: string[]) => items.length === 10) },
  });
});

test("latest is the one that the pointer recorded, or an error that says what is there", async () => {
  const { store, directory } = await threeBackups();
  const pointer = join(directory, "latest-backup.json");
  const damaged = (why: string) => ({
    code: "REPLANT_BACKUP_DAMAGED",
    details: { why: expect.stringContaining(why), items: expect.arrayContaining([firstId, secondId]) },
  });
  const intact = readFileSync(pointer);
  rmSync(pointer);
  await expect(store.open("latest")).rejects.toMatchObject(damaged("latest-backup.json is missing"));
  const wrong = [
    "",
    "{}",
    "[]",
    `{"id":"../../etc","sha256":"${"a".repeat(64)}"}`,
    `{"id":"${third}","sha256":"x"}`,
    " ".repeat(5000),
    intact.toString().padEnd(5000),
  ];
  for (const content of wrong) {
    writeFileSync(pointer, content);
    await expect(store.open("latest")).rejects.toMatchObject(damaged("does not hold an id and a digest"));
    expect((await store.list()).map(({ latest }) => latest)).toEqual([false, false, false]);
    expect((await store.open(third)).manifest.id).toBe(third);
  }
  rmSync(pointer);
  symlinkSync(join(directory, third, "manifest.json"), pointer);
  await expect(store.open("latest")).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
  rmSync(pointer);
  writeFileSync(pointer, intact);
  renameSync(join(directory, third), join(directory, "away"));
  await expect(store.open("latest")).rejects.toMatchObject(damaged(`means ${third}, which is not there`));
  // Another backup, valid in itself, in the place of the one that was recorded.
  const manifest = { ...readManifestJson(join(directory, "away")), tool: "somebody" };
  renameSync(join(directory, "away"), join(directory, third));
  writeFileSync(join(directory, third, "manifest.json"), resealed(manifest));
  for (const reference of ["latest", third]) {
    await expect(store.open(reference)).rejects.toMatchObject(damaged("not the one that latest-backup.json recorded"));
  }
  expect((await store.list())[0]).toMatchObject({
    id: third,
    latest: true,
    damage: expect.stringContaining("recorded"),
  });
});

test("a hand-edited manifest is said to be changed, a newer format to be newer, and both list what is there", async () => {
  const { store, directory } = await threeBackups();
  const manifest = join(directory, firstId, "manifest.json");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace('"app"', '"prod"'));
  const available = { items: [third, secondId] };
  await expect(store.open(firstId)).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
    message: expect.stringContaining("was changed after it was written"),
    details: available,
  });
  const written = [
    '{"format":2,"anything":',
    '{"format":2}',
    '{"format":999999999,\u0000',
    resealed({ ...readManifestJson(join(directory, secondId)), format: 7 }),
  ];
  for (const content of written) {
    writeFileSync(manifest, content);
    await expect(store.open(firstId)).rejects.toMatchObject({
      code: "REPLANT_BACKUP_NEWER",
      message: expect.stringMatching(/has format \d+; this version of Replant reads formats up to 1$/),
      details: available,
    });
  }
  for (const content of [
    "",
    "{",
    '{"format":0}',
    '{"format":01}',
    '{"format":1e9}',
    '{"format":1}',
    '{"format":9999999999,',
    '{ "format":2}',
    "\0",
  ]) {
    writeFileSync(manifest, content);
    await expect(store.open(firstId)).rejects.toMatchObject({ code: "REPLANT_BACKUP_DAMAGED", details: available });
  }
  for (const content of [
    sealed('{"format":1,x'),
    sealed('{"format":1,"tool":"\u00ff"}', "latin1"),
    sealed('{"format":1,"a":1}'),
  ]) {
    writeFileSync(manifest, content);
    await expect(store.open(firstId)).rejects.toMatchObject({ code: "REPLANT_BACKUP_DAMAGED", details: available });
  }
});

test("a clock that jumps back a year makes no older backup the latest, in list, references and copies", async () => {
  const { store, directory } = await threeBackups();
  const back = "2025-11-21T00-00-00-000Z-d04e";
  expect((await writeBackup(store, back, parts)).sequence).toBe(4);
  expect((await store.list()).map(({ id, sequence, latest }) => [id, sequence, latest])).toEqual([
    [back, 4, true],
    [third, 3, false],
    [secondId, 2, false],
    [firstId, 1, false],
  ]);
  expect([await store.find("latest"), await store.find("latest~1"), await store.find("latest~3")]).toEqual([
    back,
    third,
    firstId,
  ]);
  const copies = newStore();
  for (const id of [back, third]) await copyBackup(await store.open(id), copies.store);
  expect([await copies.store.find("latest"), await copies.store.find("latest~1")]).toEqual([back, third]);
  await store.remove(back);
  expect(pointerOf(directory)).toMatchObject({ id: third });
  // What cannot be read has no number, and stands in no later backup's way.
  writeFileSync(join(directory, third, "manifest.json"), "?");
  rmSync(join(directory, secondId, "manifest.json"));
  mkdirSync(join(directory, secondId, "manifest.json"));
  expect((await writeBackup(store, back, parts)).sequence).toBe(2);
});

test("a number that is as high as it can be stays so", async () => {
  const { store, directory } = await threeBackups();
  const manifest = readManifestJson(join(directory, firstId));
  const sequence = Number.MAX_SAFE_INTEGER;
  writeFileSync(join(directory, firstId, "manifest.json"), resealed({ ...manifest, sequence }));
  const last = "2026-11-22T00-00-00-000Z-d04e";
  expect((await writeBackup(store, last, parts)).sequence).toBe(sequence);
  expect((await store.list()).map(({ id }) => id)).toEqual([last, firstId, third, secondId]);
});

test("list tells why a backup cannot be used, and goes on", async () => {
  const { store, directory } = await threeBackups();
  writeFileSync(join(directory, firstId, "manifest.json"), '{"format":2}');
  rmSync(join(directory, secondId, "manifest.json"));
  expect((await store.list()).map(({ id, damage }) => [id, damage])).toEqual([
    [third, null],
    [secondId, "its manifest is missing"],
    [firstId, `backup ${firstId} has format 2; this version of Replant reads formats up to 1`],
  ]);
  expect((await store.list())[1]).toEqual({
    id: secondId, sequence: null, label: null, verifiedAt: null, createdAt: "2026-11-20T09:41:03.000Z", tables: 0, keptRows: 0, storedBytes: 0, database: "", lastMigration: null, latest: false, damage: "its manifest is missing",
  }); // prettier-ignore
  mkdirSync(join(directory, secondId, "manifest.json"));
  expect((await store.list())[1]?.damage).toContain("is not a regular file");
  await expect(store.open(secondId)).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
});

test("an input or output error of one backup is its reason, a bug is not", async () => {
  const { directory } = await threeBackups();
  const failing = (error: Error) => {
    const read = async (path: string): Promise<Uint8Array | null> => {
      if (path.includes(secondId)) throw error;
      return files.read(path);
    };
    return diskStore({ directory, files: { ...files, read } });
  };
  const io = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" });
  expect((await failing(io).list()).map(({ damage }) => damage)).toEqual([null, "EIO: i/o error, read", null]);
  await expect(failing(new TypeError("a bug")).list()).rejects.toThrow("a bug");
});

test("other names and links in the store are no backups", async () => {
  const { store, directory } = await threeBackups();
  symlinkSync(join(directory, third), join(directory, "2026-11-22T00-00-00-000Z-0000"));
  writeFileSync(join(directory, "2026-11-23T00-00-00-000Z-0000"), "");
  mkdirSync(join(directory, "2026-11-24T00-00-00-000Z-0000.old"));
  mkdirSync(join(directory, ".git"));
  expect((await store.list()).map(({ id }) => id)).toEqual([third, secondId, firstId]);
  for (const day of ["22", "23", "24"]) {
    await expect(store.open(`2026-11-${day}T00-00-00-000Z-0000`)).rejects.toMatchObject({
      code: "REPLANT_BACKUP_NOT_FOUND",
    });
  }
});

test("a backup is never overwritten, nor written by two", async () => {
  const { store, directory } = newStore();
  const writer = await store.create(firstId);
  await expect(store.create(firstId)).rejects.toMatchObject({ code: "REPLANT_BACKUP_EXISTS" });
  // One that is just being renamed, or that left no mark, is another writer's too.
  mkdirSync(join(directory, `.tmp-${secondId}`));
  await expect(store.create(secondId)).rejects.toMatchObject({ code: "REPLANT_BACKUP_EXISTS" });
  rmdirSync(join(directory, `.tmp-${secondId}`));
  // A second process that looked before the first one began finds out when it writes its mark.
  const blind = diskStore({ directory, files: { ...files, list: async () => [] } });
  await expect(blind.create(firstId)).rejects.toMatchObject({ code: "REPLANT_BACKUP_EXISTS" });
  await writer.add(samplePart("t0001"), chunks("1\ta\n"));
  await writer.seal(sampleManifest(firstId));
  await expect(store.create(firstId)).rejects.toMatchObject({ code: "REPLANT_BACKUP_EXISTS" });
  const late = await blind.create(firstId);
  await expect(late.seal(sampleManifest(firstId))).rejects.toMatchObject({ code: "REPLANT_BACKUP_EXISTS" });
  await late.abort();
  expect((await readAll((await store.open(firstId)).rows("t0001"))).toString()).toBe("1\ta\n");
  expect(readdirSync(directory)).toEqual([firstId, "latest-backup.json"]);
});

test("a writer takes parts until it is sealed or aborted, and only what belongs to it", async () => {
  const { store, directory } = newStore();
  for (const id of ["", "..", "x", `${firstId}/x`, `${firstId}\n`])
    await expect(store.create(id)).rejects.toThrow("is no backup id");
  const writer = await store.create(firstId);
  for (const id of ["t1", "../t0001", "t0001\n", "T0001"])
    await expect(writer.add(samplePart(id), chunks())).rejects.toThrow("is no part id");
  await writer.add(samplePart("t0001"), chunks("1\ta\n"));
  await expect(writer.add(samplePart("t0001"), chunks())).rejects.toMatchObject({ code: "EEXIST" });
  await expect(writer.seal(sampleManifest(secondId))).rejects.toThrow("does not belong to backup");
  expect(await store.list()).toEqual([]);
  await writer.seal(sampleManifest(firstId));
  await expect(writer.add(samplePart("t0002"), chunks())).rejects.toThrow("sealed or aborted");
  await writer.abort();
  await expect(writer.add(samplePart("t0002"), chunks())).rejects.toThrow("sealed or aborted");
  await expect(writer.seal(sampleManifest(firstId))).rejects.toThrow("sealed or aborted");
  expect(await store.list()).toHaveLength(1);
  const other = await store.create(secondId);
  await other.abort();
  await other.abort();
  await expect(other.add(samplePart("t0001"), chunks())).rejects.toThrow("sealed or aborted");
  expect(readdirSync(directory)).toEqual([firstId, "latest-backup.json"]);
});

test("what cannot be a manifest is not shown as a backup", async () => {
  const { store, directory } = newStore();
  const writer = await store.create(firstId);
  await writer.add(samplePart("t0001", { ...samplePart("t0001").table, name: "x".repeat(64) }), chunks());
  await expect(writer.seal(sampleManifest(firstId))).rejects.toMatchObject({
    message: expect.stringContaining("entries[0].table.name"),
  });
  await writer.abort();
  expect(readdirSync(directory)).toEqual([]);
});

test("a removed backup is gone, and latest means the newest good one that is left", async () => {
  const { store, directory } = await threeBackups();
  writeFileSync(join(directory, secondId, "manifest.json"), "");
  await store.remove(secondId);
  expect(pointerOf(directory)).toMatchObject({ id: third });
  await writeBackup(store, "2026-11-22T00-00-00-000Z-0000", {});
  writeFileSync(join(directory, third, "manifest.json"), "");
  await store.remove("2026-11-22T00-00-00-000Z-0000");
  expect((await store.open("latest")).manifest.id).toBe(firstId);
  await store.remove(firstId);
  expect(readdirSync(directory)).toEqual([third]);
  await expect(store.open("latest")).rejects.toMatchObject({ code: "REPLANT_BACKUP_DAMAGED", details: { items: [] } });
  for (const id of [firstId, "..", "2026", "latest", ""])
    await expect(store.remove(id)).rejects.toMatchObject({ code: "REPLANT_BACKUP_NOT_FOUND" });
  expect(readdirSync(directory)).toEqual([third]);
});
