import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";

/*
 * A reader written from docs/formats.md alone: it imports nothing of the package, so that the page and the code cannot
 * drift apart unseen. It holds everything in memory and leaves the table of limits to the product's reader.
 */

interface Entry {
  readonly id: string;
  readonly columns: readonly string[];
  readonly copy: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly sha256: string;
}

const sha256 = (...pieces: (Uint8Array | string)[]): Buffer =>
  pieces.reduce((hash, piece) => hash.update(piece), createHash("sha256")).digest();

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** The rows of every part of a backup in a directory, by the part's id, from the contents of its files. Throws at the first difference. */
export function readDirectory(read: (name: string) => Buffer): Map<string, Buffer> {
  const { id, entries } = readManifest(read("manifest.json"));
  return new Map(entries.map((entry) => [entry.id, readPart(read(`${entry.id}.copy.zst`), id, entry)]));
}

/** The same of a backup in one file. */
export function readFile(file: Buffer): Map<string, Buffer> {
  must(file.readUInt32LE(0) === 0x184d2a50 && file.toString("ascii", 8, 12) === "back", "head");
  let at = 8 + file.readUInt32LE(4);
  const { id, entries } = readManifest(file.subarray(12, at));
  const parts = entries.map((entry): [string, Buffer] => {
    at += entry.storedBytes;
    return [entry.id, readPart(file.subarray(at - entry.storedBytes, at), id, entry)];
  });
  must(at === file.length, "end of file");
  return new Map(parts);
}

function readManifest(bytes: Buffer): { id: string; entries: Entry[] } {
  const lineEnd = bytes.indexOf("\n") + 1;
  const line = bytes.subarray(0, lineEnd);
  must(line.subarray(0, 12).equals(Buffer.from('{"format":1,')), "format");
  must(bytes.subarray(lineEnd).equals(Buffer.from(`{"sha256":"${sha256(line).toString("hex")}"}\n`)), "seal");
  return JSON.parse(line.toString()) as { id: string; entries: Entry[] };
}

function readPart(file: Buffer, backup: string, entry: Entry): Buffer {
  must(file.length === entry.storedBytes && sha256(file).toString("hex") === entry.sha256, "stored bytes");
  const pieces: Buffer[] = [];
  let chain = sha256(`replant backup part 1\n${backup}\n${entry.id}\n`);
  let at = 0;
  for (let sequence = 0; ; sequence++) {
    const kind = file.toString("ascii", at + 8, at + 12);
    const headerEnd = at + 8 + file.readUInt32LE(at + 4);
    must(file.readUInt32LE(at) === 0x184d2a50, "magic");
    must(headerEnd - at === (kind === "data" ? 56 : 64), "header length");
    must(file.readUInt32LE(at + 12) === sequence, "sequence");
    const end = kind === "data" ? headerEnd + file.readUInt32LE(at + 20) : headerEnd;
    chain = sha256(chain, file.subarray(at + 8, headerEnd - 32), file.subarray(headerEnd, end));
    must(file.subarray(headerEnd - 32, headerEnd).equals(chain), "chain");
    if (kind !== "data") {
      must(kind === "last" && end === file.length, "end");
      break;
    }
    const piece = zstdDecompressSync(file.subarray(headerEnd, end));
    must(piece.length === file.readUInt32LE(at + 16), "length");
    pieces.push(piece);
    at = end;
  }
  const copy = Buffer.concat(pieces);
  const rows = entry.copy === "text" ? textRows(copy) : binaryRows(copy, entry.columns.length);
  must(Number(file.readBigUInt64LE(at + 16)) === rows && rows === entry.rows, "rows");
  must(Number(file.readBigUInt64LE(at + 24)) === copy.length && copy.length === entry.sizeBytes, "size");
  return copy;
}

function textRows(text: Buffer): number {
  must(text.length === 0 || text.at(-1) === 10, "last row");
  return text.reduce((rows, byte) => rows + (byte === 10 ? 1 : 0), 0);
}

function binaryRows(bytes: Buffer, columns: number): number {
  must(bytes.subarray(0, 19).equals(Buffer.from("5047434f50590aff0d0a000000000000000000", "hex")), "head of COPY");
  let at = 19;
  for (let rows = 0; ; rows++) {
    const fields = bytes.readInt16BE(at);
    at += 2;
    if (fields === -1 && at === bytes.length) return rows;
    must(fields === columns, "fields");
    for (let field = 0; field < fields; field++) at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
}
