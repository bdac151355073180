import { copyBackup } from "@replant/core";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { firstId, newStore, readParts, secondId, writeBackup } from "./sample.ts";

const parts = { t0001: "1\ta\n2\tb\n", t0002: "" };

test("a copy is the same backup in another store, and cannot be made twice", async () => {
  const [from, to] = [newStore(), newStore()];
  await writeBackup(from.store, firstId, parts);
  const source = await from.store.open(firstId);
  await copyBackup(source, to.store);
  const copy = await to.store.open("latest");
  expect(copy.manifest).toEqual(source.manifest);
  expect(await readParts(copy)).toEqual(await readParts(source));
  await expect(copyBackup(source, to.store)).rejects.toMatchObject({ code: "REPLANT_BACKUP_EXISTS" });
});

test("latest moves to a copy only from an older backup", async () => {
  const [from, to] = [newStore(), newStore()];
  await writeBackup(from.store, firstId, parts);
  await writeBackup(from.store, secondId, parts);
  await copyBackup(await from.store.open(secondId), to.store);
  await copyBackup(await from.store.open(firstId), to.store);
  expect(await to.store.find("latest")).toBe(secondId);
  expect(await to.store.find("latest~1")).toBe(firstId);
});

test("a damaged backup is never copied", async () => {
  const [from, to] = [newStore(), newStore()];
  await writeBackup(from.store, firstId, parts);
  const path = join(from.directory, firstId, "t0001.copy.zst");
  const bytes = readFileSync(path);
  bytes[70] = (bytes[70] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await expect(copyBackup(await from.store.open(firstId), to.store)).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
  });
  expect(await to.store.list()).toEqual([]);
});
