import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { versions } from "node:process";
import { zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { diskStore } from "../src/disk/index.ts";
import { goldenInput, goldenZstd, writeGolden } from "./golden-input.ts";
import { readIndependently } from "./independent-reader.ts";
import { files, readParts, temporaryDirectory } from "./sample.ts";

/*
 * Backups that format 1 wrote once, and that every later version reads. Whoever changes what the writer writes gives the format
 * a new number, and leaves these as they are.
 */

const golden = join(import.meta.dirname, "golden");
const ids = Object.keys(goldenInput) as (keyof typeof goldenInput)[];

/** What a part's file says apart from what the compressor made of it: kind, counts and text of every frame. */
function framesOf(file: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < file.length;) {
    const header = file.subarray(at + 8, at + 8 + file.readUInt32LE(at + 4));
    const kind = header.toString("latin1", 0, 4);
    const start = at + 8 + header.length;
    const stored = kind === "data" ? header.readUInt32LE(12) : 0;
    const text = stored === 0 ? "" : zstdDecompressSync(file.subarray(start, start + stored)).toString();
    frames.push(`${kind} ${header.length} ${header.readUInt32LE(4)} ${header.readUInt32LE(8)} ${text}`);
    at = start + stored;
  }
  return frames;
}

function manifestOf(directory: string): string {
  const text = readFileSync(join(directory, "manifest.json"), "utf8");
  return text.replaceAll(/"(sha256|storedBytes)":("[0-9a-f]{64}"|\d+)/g, '"$1":…');
}

describe.each(ids)("the golden backup %s", (id) => {
  test("is read, here and by the reader made from the page alone", async () => {
    const expected = new Map(Object.entries(goldenInput[id].parts).map(([part, text]) => [part, Buffer.from(text)]));
    const reader = await diskStore({ directory: golden, files }).open(id);
    await reader.verify();
    expect(await readParts(reader)).toEqual(expected);
    expect(readIndependently((name) => readFileSync(join(golden, id, name)))).toEqual(expected);
    expect(reader.manifest).toMatchObject({ format: 1, id, ...goldenInput[id].manifest });
  });

  test("is what the writer writes today", async () => {
    const directory = temporaryDirectory();
    await writeGolden(directory);
    expect(readdirSync(join(directory, id))).toEqual(readdirSync(join(golden, id)));
    expect(manifestOf(join(directory, id))).toBe(manifestOf(join(golden, id)));
    for (const name of readdirSync(join(golden, id))) {
      const [written, kept] = [directory, golden].map((root) => readFileSync(join(root, id, name)));
      if (written === undefined || kept === undefined) throw new Error("two files were read");
      // Equal bytes from the same compressor; equal text in equal frames from another one.
      expect([name, written.equals(kept) || versions["zstd"] !== goldenZstd]).toEqual([name, true]);
      expect(name.endsWith(".json") ? [] : framesOf(written)).toEqual(name.endsWith(".json") ? [] : framesOf(kept));
    }
  });
});
