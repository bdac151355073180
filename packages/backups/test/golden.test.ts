import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { versions } from "node:process";
import { zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { diskStore } from "../src/disk/index.ts";
import { goldenFile, goldenInput, goldenZstd, writeGolden } from "./golden-input.ts";
import { readDirectory, readFile } from "./independent-reader.ts";
import { files, firstId, readParts, temporaryDirectory } from "./sample.ts";

/*
 * Backups that format 1 wrote once, and that every later version reads. Whoever changes what the writer writes gives the format
 * a new number, and leaves these as they are.
 */

const golden = join(import.meta.dirname, "golden");
const ids = Object.keys(goldenInput) as (keyof typeof goldenInput)[];

/** What a file of frames says apart from what the compressor made of it: kind, counts and content of every frame. */
function framesOf(file: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < file.length;) {
    const header = file.subarray(at + 8, at + 8 + file.readUInt32LE(at + 4));
    const kind = header.toString("latin1", 0, 4);
    const start = at + 8 + header.length;
    const stored = kind === "data" ? header.readUInt32LE(12) : 0;
    const content = stored === 0 ? "" : zstdDecompressSync(file.subarray(start, start + stored)).toString("latin1");
    const fields = kind === "back" ? withoutHashes(header.toString("utf8", 4)) : content;
    frames.push(`${kind} ${header.readUInt32LE(4)} ${header.readUInt32LE(8)} ${fields}`);
    at = start + stored;
  }
  return frames;
}

/** A manifest without what depends on the compressor. */
function withoutHashes(manifest: string): string {
  return manifest.replaceAll(/"(sha256|storedBytes)":("[0-9a-f]{64}"|\d+)/g, '"$1":…');
}

const contentOf = (path: string): string[] | string =>
  path.endsWith(".json") ? withoutHashes(readFileSync(path, "utf8")) : framesOf(readFileSync(path));

describe.each(ids)("the golden backup %s", (id) => {
  const expected = new Map(Object.entries(goldenInput[id].parts).map(([part, rows]) => [part, Buffer.from(rows)]));

  test("is read, here and by the reader made from the page alone", async () => {
    const reader = await diskStore({ directory: golden, files }).open(id);
    await reader.verify();
    expect(await readParts(reader)).toEqual(expected);
    expect(readDirectory((name) => readFileSync(join(golden, id, name)))).toEqual(expected);
    expect(reader.manifest).toMatchObject({ format: 1, id, ...goldenInput[id].manifest });
    expect(reader.manifest.sequence).toBe(ids.indexOf(id) + 1);
  });

  test("is read as one file, by both", async () => {
    const reader = await diskStore({ directory: golden, files }).open(join(golden, goldenFile));
    await reader.verify();
    expect(reader.manifest).toEqual((await diskStore({ directory: golden, files }).open(firstId)).manifest);
    const first = new Map(Object.entries(goldenInput[firstId].parts).map(([part, rows]) => [part, Buffer.from(rows)]));
    expect(await readParts(reader)).toEqual(first);
    expect(readFile(readFileSync(join(golden, goldenFile)))).toEqual(first);
  });
});

test("the golden backups are what the writer writes today", async () => {
  const directory = temporaryDirectory();
  await writeGolden(directory);
  const names = readdirSync(golden, { recursive: true, encoding: "utf8" }).toSorted();
  expect(readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted()).toEqual(names);
  for (const name of names.filter((path) => path.includes("."))) {
    const [written, kept] = [directory, golden].map((root) => readFileSync(join(root, name)));
    if (written === undefined || kept === undefined) throw new Error("two files were read");
    // Equal bytes from the same compressor; equal content in equal frames from another one.
    expect([name, written.equals(kept) || versions["zstd"] !== goldenZstd]).toEqual([name, true]);
    expect([name, contentOf(join(directory, name))]).toEqual([name, contentOf(join(golden, name))]);
  }
});
