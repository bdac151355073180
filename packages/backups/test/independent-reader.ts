// Written from docs/formats.md alone: page and code cannot drift apart unseen. The limits are left to the product's reader.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";

type Entry = Record<"id" | "copy" | "sha256", string> & Record<"rows" | "sizeBytes" | "storedBytes", number>;

const sha256 = (...pieces: Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(pieces)).digest();

/** The rows of every part of a backup in a directory, by the part's id. Throws at the first difference. */
export function readDirectory(read: (name: string) => Buffer): Map<string, Buffer> {
  return readParts(read("manifest.json"), ({ id }) => read(`${id}.copy.zst`));
}

/** The same of a backup in one file. */
export function readFile(file: Buffer): Map<string, Buffer> {
  assert.deepEqual([file.readUInt32LE(0), file.toString("latin1", 8, 12)], [0x184d2a50, "back"]);
  let at = 8 + file.readUInt32LE(4);
  const parts = readParts(file.subarray(12, at), ({ storedBytes }) => file.subarray(at, (at += storedBytes)));
  assert.equal(at, file.length);
  return parts;
}

function readParts(manifest: Buffer, fileOf: (entry: Entry) => Buffer): Map<string, Buffer> {
  const line = manifest.subarray(0, manifest.indexOf("\n") + 1);
  assert.equal(line.toString("latin1", 0, 12), '{"format":1,');
  assert.equal(manifest.toString("latin1", line.length), `{"sha256":"${sha256(line).toString("hex")}"}\n`);
  const { id, entries } = JSON.parse(line.toString()) as { id: string; entries: (Entry & { columns: string[] })[] };
  return new Map(entries.map((entry) => [entry.id, readPart(fileOf(entry), { backup: id, ...entry })]));
}

function readPart(file: Buffer, part: Entry & { backup: string; columns: string[] }): Buffer {
  assert.deepEqual([file.length, sha256(file).toString("hex")], [part.storedBytes, part.sha256]);
  let [at, sequence, kind, pieces] = [0, 0, "data", [] as Buffer[]];
  for (let chain = sha256(Buffer.from(`replant backup part 1\n${part.backup}\n${part.id}\n`)); kind === "data";) {
    kind = file.toString("latin1", at + 8, at + 12);
    const body = at + (kind === "data" ? 56 : 64);
    const end = kind === "data" ? body + file.readUInt32LE(at + 20) : body;
    const numbers = [0, 4, 12].map((offset) => file.readUInt32LE(at + offset));
    assert.deepEqual(numbers, [0x184d2a50, body - at - 8, sequence++]);
    chain = sha256(chain, file.subarray(at + 8, body - 32), file.subarray(body, end));
    assert.deepEqual(file.subarray(body - 32, body), chain);
    if (kind === "data") pieces.push(zstdDecompressSync(file.subarray(body, end)));
    if (kind === "data") assert.equal(pieces.at(-1)?.length, file.readUInt32LE(at + 16));
    at = end;
  }
  const copy = Buffer.concat(pieces);
  const totals = [48, 40].map((offset) => Number(file.readBigUInt64LE(at - offset)));
  assert.deepEqual(
    [kind, at, ...totals, copy.length],
    ["last", file.length, part.rows, part.sizeBytes, part.sizeBytes],
  );
  assert.equal(part.copy === "text" ? textRows(copy) : binaryRows(copy, part.columns.length), part.rows);
  return copy;
}

function textRows(copy: Buffer): number {
  assert.ok(copy.length === 0 || copy.at(-1) === 10);
  return copy.toString("latin1").split("\n").length - 1;
}

function binaryRows(copy: Buffer, columns: number): number {
  assert.equal(copy.toString("hex", 0, 19), "5047434f50590aff0d0a000000000000000000");
  for (let [at, rows] = [19, 0]; ; rows++) {
    const fields = copy.readInt16BE(at);
    at += 2;
    if (fields === -1 && at === copy.length) return rows;
    assert.equal(fields, columns);
    for (let field = 0; field < fields; field++) at += 4 + Math.max(0, copy.readInt32BE(at));
  }
}
