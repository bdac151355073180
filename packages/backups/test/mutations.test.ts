import type { BackupStore } from "@replant/core";
import { isReplantError } from "@replant/core";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { diskStore, writeBackupFile } from "../src/disk/index.ts";
import { sha256 } from "../src/format/manifest.ts";
import { plantPart, readManifestJson, resealed } from "./hostile.ts";
import { readDirectory, readFile } from "./independent-reader.ts";
import { imageOf, readOnlyFiles } from "./memory-files.ts";
import {
  binaryCopy,
  chunks,
  files,
  firstId,
  newStore,
  readAll,
  readParts,
  sampleManifest,
  samplePart,
  secondId,
  writeBackup,
} from "./sample.ts";

/*
 * A backup is changed in every way that a disk, a person or an attacker without new hashes may change it. Each time it must be
 * refused with a code of ours, or give exactly the rows that were written.
 */

/** How many changes are tried; `REPLANT_FUZZ=100000` tries more than a usual run has the time for. */
const mutations = Number(process.env["REPLANT_FUZZ"] ?? 20_000);
const limit = { timeout: 120_000 + mutations * 20 };

const first = { t0001: "1\ta\n2\t\\N\n", t0002: "3\ta\n".repeat(60), t0003: binaryCopy([["4", "a"], ["5", null]]), t0004: "" }; // prettier-ignore
const second = { t0001: "1\tb\n2\t\\N\n", t0002: "3\tb\n".repeat(60), t0003: binaryCopy([["4", "b"], ["5", null]]), t0004: "" }; // prettier-ignore
const refusals = [
  "REPLANT_BACKUP_DAMAGED",
  "REPLANT_BACKUP_NEWER",
  "REPLANT_BACKUP_NOT_FOUND",
  "REPLANT_STORE_UNREADABLE",
];
const partFiles = Object.keys(first).map((part) => `${part}.copy.zst`);
const targets = ["manifest.json", ...partFiles];
const pointerFile = "../latest-backup.json";

/** Where the frames of a part's file begin, and its end. */
function frameStarts(file: Buffer): number[] {
  const starts = [0];
  for (let at = 0; at < file.length;) {
    const stored = file.toString("latin1", at + 8, at + 12) === "data" ? file.readUInt32LE(at + 20) : 0;
    at += 8 + file.readUInt32LE(at + 4) + stored;
    starts.push(at);
  }
  return starts;
}

type Mutation = (file: Buffer, other: Buffer) => Buffer;

/** `at` and the like are taken modulo what is there, so that every choice is possible in every file. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]): Mutation => (file) => {
    const changed = Buffer.from(file);
    changed[at % file.length] = (file[at % file.length] ?? 0) ^ (1 << bit);
    return changed;
  }),
  fc.nat().map(
    (at): Mutation =>
      (file) =>
        file.subarray(0, at % file.length),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 80 }).map(
    (tail): Mutation =>
      (file) =>
        Buffer.concat([file, tail]),
  ),
  fc.tuple(fc.nat(), fc.nat(), fc.nat()).map(([from, to, at]): Mutation => (file) => {
    const [start, end] = [from % file.length, to % file.length].toSorted((a, b) => a - b);
    const place = at % file.length;
    return Buffer.concat([file.subarray(0, place), file.subarray(start, end), file.subarray(place)]);
  }),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 90 })).map(([at, length]): Mutation => (file) => {
    return Buffer.concat([file.subarray(0, at % file.length), file.subarray((at % file.length) + length)]);
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([at, length]): Mutation => (file, other) => {
    const [start, end] = [at % file.length, (at + length) % file.length].toSorted((a, b) => a - b);
    return Buffer.concat([file.subarray(0, start), other.subarray(start, end), file.subarray(end)]);
  }),
  fc.constant<Mutation>((_, other) => other),
);

/** Frames left out, repeated, in another order, or taken from the same place of the other backup. */
const frameMutation: fc.Arbitrary<Mutation> = fc
  .array(fc.tuple(fc.nat(4), fc.boolean()), { minLength: 1, maxLength: 6 })
  .map((choice): Mutation => (file, other) => {
    const pieces = choice.map(([index, theirs]) => {
      const source = theirs ? other : file;
      const starts = frameStarts(source);
      return source.subarray(starts[index % starts.length], starts[(index % starts.length) + 1]);
    });
    return Buffer.concat(pieces);
  });

/** Edits that leave JSON as a person would: another number, another word, other white space. */
const edit: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(9)).map(([at, digit]): Mutation => (file) => {
    const places = [...file.toString("latin1").matchAll(/\d/g)].map(({ index }) => index);
    const changed = Buffer.from(file);
    changed[places[at % places.length] ?? 0] = 48 + digit;
    return changed;
  }),
  fc.constantFrom<Mutation>(
    (file) => Buffer.from(file.toString().replace("users", "orgs")),
    (file) => Buffer.from(JSON.stringify(JSON.parse(file.toString().split("\n")[0] ?? ""), null, 2)),
    (file) => Buffer.from(file.toString().replaceAll("\n", "\r\n")),
    (file) => Buffer.from(`\ufeff${file.toString()}`),
    (file) => Buffer.from(file.toString().split("\n").toReversed().join("\n")),
  ),
);

/** Runs a reader: it gives rows that were written, or refuses with a code of ours. Anything else fails the test. */
async function outcome(read: () => Promise<ReadonlyMap<string, Buffer>>): Promise<"same" | "refused"> {
  let parts: ReadonlyMap<string, Buffer>;
  try {
    parts = await read();
  } catch (error) {
    if (isReplantError(error) && refusals.includes(error.code) && error.message.length < 1000) return "refused";
    throw error;
  }
  for (const [id, rows] of parts) {
    if (!rows.equals(Buffer.from(first[id as keyof typeof first]))) throw new Error(`part ${id} has other rows`);
  }
  return "same";
}

async function readFrom(store: BackupStore, reference: string): Promise<ReadonlyMap<string, Buffer>> {
  return readParts(await store.open(reference));
}

function independentOutcome(read: () => ReadonlyMap<string, Buffer>): "same" | "refused" {
  try {
    return read().size === Object.keys(first).length ? "same" : "refused";
  } catch {
    return "refused";
  }
}

/** Cuts `t0002` of a backup into frames of 50 bytes, so that there are some to mix up. */
function cutFrames(path: string, text: string): void {
  const pieces = Array.from({ length: Math.ceil(text.length / 50) }, (_, index) =>
    Buffer.from(text.slice(index * 50, (index + 1) * 50)),
  );
  const frames = pieces.map((piece) => {
    const stored = zstdCompressSync(piece);
    return {
      header: { kind: "data", sequence: 0, copyBytes: piece.length, storedBytes: stored.length } as const,
      stored,
    };
  });
  const totals = { rows: 60, sizeBytes: text.length, part: "t0002" };
  const last = { kind: "last", sequence: 0, rows: totals.rows, copyBytes: totals.sizeBytes } as const;
  plantPart(path, [...frames, { header: last, stored: new Uint8Array() }], totals);
}

/** Two good backups as an image in memory, each in both shapes; `latest` means the first. Reading can write nothing. */
async function sampleImage() {
  const { store: written, directory } = newStore();
  const rows = Object.entries({ [secondId]: second, [firstId]: first });
  for (const [id, parts] of rows) {
    const writer = await written.create(id);
    for (const [part, content] of Object.entries(parts)) {
      await writer.add({ ...samplePart(part), copy: typeof content === "string" ? "text" : "binary" }, chunks(content));
    }
    await writer.seal(sampleManifest(id));
    cutFrames(join(directory, id), parts.t0002);
    await writeBackupFile(files, await written.open(join(directory, id)), join(directory, `${id}.replant`));
  }
  const path = join(directory, firstId);
  const pointer = { id: firstId, sha256: sha256(readFileSync(join(path, "manifest.json"))) };
  writeFileSync(join(directory, "latest-backup.json"), JSON.stringify(pointer));
  const image = imageOf(directory);
  const content = (name: string): Buffer => image.get(name) ?? Buffer.alloc(0);
  const inMemory = readOnlyFiles(image);
  const store = diskStore({ directory, files: inMemory });
  // A refusal lists what else a store has; an empty one makes that quick.
  const elsewhere = diskStore({ directory: join(directory, "elsewhere"), files: inMemory });
  return { image, content, store, elsewhere, directory, path };
}

test(
  `${mutations} changes of bytes, frames and JSON in a directory: refused, or the same rows; the page's reader agrees`,
  limit,
  async () => {
    const { image, content, store, elsewhere, directory, path } = await sampleImage();
    const seen = { same: 0, refused: 0 };
    let number = 0;
    const change = fc.oneof(
      { weight: 30, arbitrary: fc.tuple(fc.constantFrom(...targets), mutation) },
      { weight: 10, arbitrary: fc.tuple(fc.constantFrom(...partFiles), frameMutation) },
      { weight: 10, arbitrary: fc.tuple(fc.constant("manifest.json"), edit) },
      { weight: 1, arbitrary: fc.tuple(fc.constant(pointerFile), mutation) },
    );
    const read = (reference: string) => outcome(async () => readFrom(store, reference));
    const opened = await elsewhere.open(path);
    expect([await read("latest"), await read(firstId), await read(path)]).toEqual(["same", "same", "same"]);
    await fc.assert(
      fc.asyncProperty(change, async ([target, mutate]) => {
        const file = join(path, target);
        const original = content(file);
        const isPointer = target === pointerFile;
        const changed = mutate(original, isPointer ? original : content(join(directory, secondId, target)));
        image.set(file, changed);
        try {
          const part = /^t\d+/.exec(target)?.[0];
          // An opened backup reads a changed part as one that is opened now: the manifest is the same.
          const byPath = await outcome(async () =>
            part === undefined ? readFrom(elsewhere, path) : new Map([[part, await readAll(opened.rows(part))]]),
          );
          expect(byPath).toBe(isPointer || changed.equals(original) ? "same" : "refused");
          seen[byPath]++;
          number++;
          // Every twentieth is also read by the other ways to it.
          if (number % 20 !== 0 && !isPointer) return;
          expect(independentOutcome(() => readDirectory((name) => content(join(path, name))))).toBe(byPath);
          const others = [await read("latest"), await read(firstId)];
          expect(isPointer || others.every((result) => result === byPath)).toBe(true);
          expect(await store.list()).toHaveLength(2);
        } finally {
          image.set(file, original);
        }
      }),
      { numRuns: mutations },
    );
    expect(seen.refused).toBeGreaterThan(mutations / 2);
    expect((await store.list()).map(({ damage }) => damage)).toEqual([null, null]);
  },
);

/** What a backup in one file is made of: where its head, its manifest and its parts begin, and its end. */
function fileStarts(file: Buffer, manifestBytes: number, parts: readonly number[]): number[] {
  const starts = [0, 12, 12 + manifestBytes];
  for (const bytes of parts) starts.push((starts.at(-1) ?? 0) + bytes);
  expect(starts.at(-1)).toBe(file.length);
  return starts;
}

test(
  `${mutations / 2} changes of a backup in one file: refused, or the same rows; the page's reader agrees`,
  limit,
  async () => {
    const { image, content, elsewhere, directory, path } = await sampleImage();
    const [file, other] = [firstId, secondId].map((id) => join(directory, `${id}.replant`)) as [string, string];
    const [original, donor] = [content(file), content(other)];
    const sizes = partFiles.map((name) => content(join(path, name)).length);
    const starts = fileStarts(original, content(join(path, "manifest.json")).length, sizes);
    const section = (source: Buffer, index: number): Buffer => source.subarray(starts[index], starts[index + 1]);
    /** Head, manifest and parts left out, repeated, in another order, changed, or taken from the other backup. */
    const sections = fc
      .array(fc.tuple(fc.nat(starts.length - 2), fc.boolean(), fc.option(fc.oneof(mutation, edit), { freq: 3 })), {
        minLength: 1,
        maxLength: 7,
      })
      .map((choice): Mutation => (source, theirs) => {
        const pieces = choice.map(([index, isTheirs, mutate]) => {
          const piece = section(isTheirs ? theirs : source, index);
          return mutate === null || index !== 1 ? piece : mutate(piece, section(theirs, 1));
        });
        return Buffer.concat(pieces);
      });
    /** One section changed, and the length in the head made right for it. */
    const fitted = fc
      .oneof(fc.tuple(fc.nat(starts.length - 2), mutation), fc.tuple(fc.constant(1), edit))
      .map(([index, mutate]): Mutation => (source, theirs) => {
        const pieces = starts.slice(1).map((_, place) => section(source, place));
        const changed = mutate(section(source, index), section(theirs, index));
        const whole = Buffer.concat(pieces.map((piece, place) => (place === index ? changed : piece)));
        if (index === 1 && whole.length >= 8) whole.writeUInt32LE(4 + changed.length, 4);
        return whole;
      });
    const change = fc.oneof(mutation, mutation, sections, fitted);
    const read = (): Promise<"same" | "refused"> => outcome(() => readFrom(elsewhere, file));
    expect(await read()).toBe("same");
    const seen = { same: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(change, async (mutate) => {
        const changed = mutate(original, donor);
        // The other backup as a whole is a good one, only not this one.
        fc.pre(!changed.equals(donor));
        image.set(file, changed);
        const result = await read();
        expect(result).toBe(changed.equals(original) ? "same" : "refused");
        const other = seen[result]++ % 20 === 0 ? independentOutcome(() => readFile(changed)) : result;
        expect(other).toBe(result);
      }),
      { numRuns: mutations / 2 },
    );
    expect(seen.refused).toBeGreaterThan(mutations / 4);
  },
);

/** Values that have hurt somebody's parser, path or query before. */
const hostile = fc.constantFrom<unknown>(
  null, true, 0, -1, 1.5, 2 ** 53, 1e308, "", "t0001", "t0002", "t00001", "../../../tmp/x", "/etc/passwd", "a\0b", "\u202e", ".", "..",
  "x".repeat(64), "\u00e9".repeat(32), "x".repeat(1_050_000), [], {}, [[]], { length: 1 }, [null], "constructor", "\ud800", "2026-11-20T09-41-02-123Z-a81f",
); // prettier-ignore

/** Every place in a JSON value, as a path of member names. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => places(member, [...path, name]))];
}

/** The value with what stands at a path replaced, or left out when `by` is undefined. */
function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return by ?? {};
  const left = by === undefined && rest.length === 0;
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => (String(index) !== name ? [item] : left ? [] : [replaced(item, rest, by)]));
  }
  const members = Object.entries(value as object).filter(([key]) => key !== name || !left);
  return Object.fromEntries(members.map(([key, member]) => [key, key === name ? replaced(member, rest, by) : member]));
}

test(
  `${mutations / 40} manifests with hostile names, counts and types under a right seal: refused, or the rows are the same`,
  limit,
  async () => {
    const { image, content, store, elsewhere, path } = await sampleImage();
    const file = join(path, "manifest.json");
    const intact = content(file);
    const original = readManifestJson(path);
    const everywhere = places(original);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(everywhere.length - 1), fc.option(hostile, { nil: undefined }), async (place, value) => {
        const changed = resealed(replaced(original, everywhere[place] ?? [], value) as object);
        fc.pre(!changed.equals(intact));
        image.set(file, changed);
        // The pointer's digest finds every one of them, whoever sealed it.
        expect(await outcome(() => readFrom(store, "latest"))).toBe("refused");
        expect((await store.list()).find(({ id }) => id === firstId)?.damage).toEqual(expect.any(String));
        if ((await outcome(() => readFrom(elsewhere, path))) === "refused") refused++;
      }),
      { numRuns: mutations / 40 },
    );
    expect(refused).toBeGreaterThan(mutations / 80);
  },
);

/** Frames by somebody who can compute every hash, and who says about each what is true or what is not. */
const planted = fc.array(
  fc.record({
    // A bomb: 2 MiB of one byte in some 200.
    content: fc.constantFrom(
      ...[
        "1\ta\n",
        "1\ta",
        "\n",
        "PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0\u00ff\u00ff",
        "",
        "\n".repeat(2 ** 20),
        "\n".repeat(2 ** 21),
      ].map((text) => ({ bytes: Buffer.from(text, "latin1"), lines: text.split("\n").length - 1 })),
    ),
    isZstd: fc.boolean().map((odd) => !odd),
    copyBytes: fc.option(fc.constantFrom(0, 1, 4, 1024 * 1024, 2 ** 32 - 1), { freq: 3 }),
    storedBytes: fc.option(fc.constantFrom(0, 1, 64, 1024 * 1024, 2 ** 32 - 1), { freq: 3 }),
    sequence: fc.option(fc.nat(3), { freq: 3 }),
  }),
  { maxLength: 3 },
);

test(
  `${mutations / 40} parts of bombs and lies under right hashes: refused, or no more rows than are there`,
  limit,
  async () => {
    const { store, directory } = newStore();
    await writeBackup(store, firstId, { t0001: first.t0001 });
    const path = join(directory, firstId);
    const seen = { same: 0, refused: 0 };
    const lies = fc.record({
      rows: fc.option(fc.constantFrom(0, 1, 2 ** 53)),
      sizeBytes: fc.option(fc.constantFrom(0, 4, 2 ** 40)),
    });
    await fc.assert(
      fc.asyncProperty(planted, lies, fc.constantFrom("text", "binary"), async (frames, { rows, sizeBytes }, copy) => {
        const length = frames.reduce((sum, { content }) => sum + content.bytes.length, 0);
        const lines = copy === "text" ? frames.reduce((sum, { content }) => sum + content.lines, 0) : 0;
        const data = frames.map(({ content, isZstd, copyBytes, storedBytes, sequence }) => {
          const stored = isZstd ? zstdCompressSync(content.bytes) : content.bytes;
          const header = {
            kind: "data",
            sequence: sequence ?? 0,
            copyBytes: copyBytes ?? content.bytes.length,
            storedBytes: storedBytes ?? stored.length,
          } as const;
          return { header, stored };
        });
        const totals = { rows: rows ?? lines, copyBytes: sizeBytes ?? length };
        const last = { header: { kind: "last", sequence: 0, ...totals } as const, stored: new Uint8Array() };
        plantPart(path, [...data, last], { rows: totals.rows, sizeBytes: totals.copyBytes });
        const manifest = readManifestJson(path);
        const entries = manifest.entries.map((entry) => ({ ...entry, copy }));
        writeFileSync(join(path, "manifest.json"), resealed({ ...manifest, entries }));
        let given = 0;
        let outcome: keyof typeof seen = "same";
        try {
          for await (const piece of (await store.open(path)).rows("t0001")) given += piece.length;
        } catch (error) {
          if (!isReplantError(error) || error.code !== "REPLANT_BACKUP_DAMAGED") throw error;
          outcome = "refused";
        }
        seen[outcome]++;
        expect(given).toBeLessThanOrEqual(length);
        expect(outcome === "refused" || given === length).toBe(true);
      }),
      { numRuns: mutations / 40 },
    );
    expect([seen.same > 0, seen.refused > mutations / 80]).toEqual([true, true]);
  },
);

test("a backup that was copied under another id is not that backup", async () => {
  const { store, directory } = newStore();
  await writeBackup(store, firstId, { t0001: first.t0001, t0004: "" });
  const copy = "2026-11-21T00-00-00-000Z-0000";
  cpSync(join(directory, firstId), join(directory, copy), { recursive: true });
  await expect(store.open(copy)).rejects.toMatchObject({
    code: "REPLANT_BACKUP_DAMAGED",
    details: { why: "its manifest belongs to another backup" },
  });
  // A path is the person's own choice of a name.
  expect(await outcome(async () => readParts(await store.open(join(directory, copy))))).toBe("same");
});
