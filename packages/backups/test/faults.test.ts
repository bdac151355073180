import type { Files } from "@replant/core";
import { ReplantError } from "@replant/core";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { diskStore } from "../src/disk/index.ts";
import {
  chunks,
  files,
  firstId,
  newStore,
  readParts,
  sampleManifest,
  samplePart,
  secondId,
  writeBackup,
} from "./sample.ts";

/*
 * Every file operation of writing a backup fails once, and the process dies before each: the backup that was there stays whole and
 * is still the latest, or the new one is whole and is.
 */

const parts = { t0001: "1\told\n", t0002: "2\told\n" };
const full = new ReplantError("REPLANT_DISK_FULL", "no space");

/** Counts the operations; those for which `fails` is true throw before they do anything. */
function faulty(fails: (operation: number) => boolean): { readonly files: Files; readonly count: () => number } {
  let operations = 0;
  const step = async (): Promise<void> => {
    if (fails(operations++)) throw full;
  };
  return {
    count: () => operations,
    files: {
      read: async (path) => (await step(), files.read(path)),
      writeAtomic: async (path, bytes) => (await step(), files.writeAtomic(path, bytes)),
      append: async (path, bytes) => (await step(), files.append(path, bytes)),
      create: async (path) => {
        await step();
        const file = await files.create(path);
        return {
          write: async (bytes) => {
            // A full disk takes a part of what it is given.
            if (fails(operations++)) {
              await file.write(bytes.subarray(0, bytes.length / 2));
              throw full;
            }
            await file.write(bytes);
          },
          close: async () => {
            await file.close();
            await step();
          },
        };
      },
      stream: async function* stream(path, range) {
        await step();
        yield* files.stream(path, range);
      },
      list: async (path) => (await step(), files.list(path)),
      sizeBytes: async (path) => (await step(), files.sizeBytes(path)),
      makeDirectory: async (path) => (await step(), files.makeDirectory(path)),
      rename: async (from, to) => (await step(), files.rename(from, to)),
      remove: async (path) => (await step(), files.remove(path)),
    },
  };
}

async function write(directory: string, through: Files): Promise<{ abort: () => Promise<void>; error: unknown }> {
  let abort = async (): Promise<void> => {};
  try {
    const writer = await diskStore({ directory, files: through }).create(secondId);
    abort = () => writer.abort();
    await writer.add(samplePart("t0001"), chunks("1\tnew\n"));
    await writer.add(samplePart("t0002"), chunks("2\tnew\n"));
    await writer.seal(sampleManifest(secondId));
    return { abort, error: null };
  } catch (error) {
    return { abort, error };
  }
}

const texts = (found: ReadonlyMap<string, Buffer>): string => [...found.values()].join("");

/** How many operations a write takes when nothing fails. */
async function operations(): Promise<number> {
  const { store, directory } = newStore();
  await writeBackup(store, firstId, parts);
  const counting = faulty(() => false);
  expect((await write(directory, counting.files)).error).toBeNull();
  return counting.count();
}

async function expectWhole(directory: string): Promise<string> {
  const store = diskStore({ directory, files });
  for (const { damage } of await store.list()) expect(damage).toBeNull();
  const latest = await store.open("latest");
  await latest.verify();
  expect(texts(await readParts(await store.open(firstId)))).toBe("1\told\n2\told\n");
  return latest.manifest.id;
}

test("an operation that fails leaves the old latest, and the writer cleans up", async () => {
  const total = await operations();
  expect(total).toBeGreaterThan(20);
  const [latest, leftovers]: [string[], string[]] = [[], []];
  for (let failing = 0; failing < total; failing++) {
    const { store, directory } = newStore();
    await writeBackup(store, firstId, parts);
    const { abort, error } = await write(directory, faulty((operation) => operation === failing).files);
    expect(error).toMatchObject({ code: "REPLANT_DISK_FULL" });
    await abort();
    latest.push(await expectWhole(directory));
    leftovers.push(...readdirSync(directory).filter((name) => name.startsWith(".tmp-")));
  }
  // An empty directory without a mark may be another writer's; only the failure of making the mark leaves one.
  expect(leftovers).toEqual([`.tmp-${secondId}`]);
  // A failed write of the pointer leaves it where it was.
  expect(new Set(latest)).toEqual(new Set([firstId]));
});

test("a process that dies before any operation leaves whole backups only, and the next one is written", async () => {
  const total = await operations();
  for (let last = 0; last < total; last++) {
    const { store, directory } = newStore();
    await writeBackup(store, firstId, parts);
    await write(directory, faulty((operation) => operation >= last).files);
    expect(await expectWhole(directory)).toBe(firstId);
    await writeBackup(store, "2026-11-22T00-00-00-000Z-0000", parts);
    expect(await expectWhole(directory)).toBe("2026-11-22T00-00-00-000Z-0000");
  }
});

test("a part that changes between writing and reading back is found before it is shown", async () => {
  const { store, directory } = newStore();
  await writeBackup(store, firstId, parts);
  const lossy: Files = {
    ...files,
    create: async (path) => {
      const file = await files.create(path);
      return {
        ...file,
        write: (bytes) => {
          const changes = path.endsWith("t0002.copy.zst") && bytes.length > 40;
          return file.write(changes ? bytes.with(40, (bytes[40] ?? 0) ^ 1) : bytes);
        },
      };
    },
  };
  const { error, abort } = await write(directory, lossy);
  expect(error).toMatchObject({ code: "REPLANT_BACKUP_DAMAGED", message: expect.stringContaining("part t0002") });
  await abort();
  expect(readdirSync(directory)).toEqual([firstId, "latest-backup.json"]);
});
