import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { firstId, newStore, secondId, writeBackup } from "./sample.ts";

const third = "2026-11-20T09-41-04-000Z-c0de";
const parts = { t0001: "1\ta\n" };

async function threeBackups() {
  const { store, directory } = newStore();
  for (const id of [firstId, secondId, third]) await writeBackup(store, id, parts);
  return { store, directory };
}

test("a label means its backup, moves, is taken away, and goes with the backup", async () => {
  const { store, directory } = await threeBackups();
  await store.annotate(firstId, { label: "before-import" });
  expect(await store.find("before-import")).toBe(firstId);
  expect((await store.open("before-import")).manifest.id).toBe(firstId);
  expect((await store.list()).map(({ label }) => label)).toEqual([null, null, "before-import"]);
  await expect(store.annotate(secondId, { label: "before-import" })).rejects.toMatchObject({
    code: "REPLANT_USAGE",
    details: { where: firstId },
  });
  await store.annotate(firstId, { label: "renamed" });
  await expect(store.find("before-import")).rejects.toMatchObject({ code: "REPLANT_BACKUP_NOT_FOUND" });
  await store.annotate(firstId, { label: null });
  await expect(store.find("renamed")).rejects.toMatchObject({ code: "REPLANT_BACKUP_NOT_FOUND" });
  await store.annotate(firstId, { label: "renamed" });
  await store.remove(firstId);
  expect(readdirSync(join(directory, "notes"))).toEqual([]);
});

test.each(["", "latest", "2026-11-20", "Upper", "a/b", "../x", "a".repeat(41), "a b", "ä"])(
  "%j cannot be a label",
  async (label) => {
    const { store, directory } = newStore();
    await writeBackup(store, firstId, parts);
    await expect(store.annotate(firstId, { label })).rejects.toMatchObject({ code: "REPLANT_USAGE" });
    expect(readdirSync(directory)).toEqual([firstId, "latest-backup.json"]);
  },
);

test("latest~n counts good backups only; the way to one that is not there lists those that are", async () => {
  const { store } = await threeBackups();
  const ids = await Promise.all(["latest", "latest~0", "latest~1", "latest~2"].map((word) => store.find(word)));
  expect(ids).toEqual([third, third, secondId, firstId]);
  await store.annotate(secondId, { damage: "part t0001 is changed at frame 0" });
  expect(await store.find("latest~1")).toBe(firstId);
  expect((await store.open("latest~1")).manifest.id).toBe(firstId);
  await expect(store.find("latest~2")).rejects.toMatchObject({
    code: "REPLANT_BACKUP_NOT_FOUND",
    details: { items: [third, firstId] },
  });
});

test("a finding is listed until a later reading finds nothing", async () => {
  const { store } = await threeBackups();
  const first = async () => (await store.list()).at(-1);
  expect(await first()).toMatchObject({ damage: null, verifiedAt: "2026-11-20T09:41:02.123Z" });
  await store.annotate(firstId, { damage: "part t0001 is chänged" });
  expect(await first()).toMatchObject({ damage: "part t0001 is ch?nged", verifiedAt: null });
  await store.annotate(firstId, { damage: null, verifiedAt: "2026-12-01T00:00:00.000Z" });
  expect(await first()).toMatchObject({ damage: null, verifiedAt: "2026-12-01T00:00:00.000Z" });
});

test.each(["", "{", "[]", '{"label":"a"}', `{"label":"../x","verifiedAt":null,"damage":null}`, " ".repeat(5000)])(
  "a note that is none (%j) says nothing and is written anew",
  async (text) => {
    const { store, directory } = newStore();
    await writeBackup(store, firstId, parts);
    await store.annotate(firstId, { label: "a" });
    writeFileSync(join(directory, "notes", `${firstId}.json`), text);
    expect(await store.list()).toMatchObject([{ label: null, damage: null }]);
    await store.annotate(firstId, { label: "b" });
    expect(await store.find("b")).toBe(firstId);
  },
);

test("a path is found only where it leads into the store", async () => {
  const { store, directory } = await threeBackups();
  const other = newStore();
  await writeBackup(other.store, firstId, parts);
  expect(await store.find(join(directory, firstId))).toBe(firstId);
  await expect(store.find(join(other.directory, firstId))).rejects.toMatchObject({ code: "REPLANT_BACKUP_NOT_FOUND" });
});
