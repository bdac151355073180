import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";

/*
 * A reader written from docs/formats.md alone: it imports nothing of the package, so that the page and the code cannot
 * drift apart unseen. It holds everything in memory and leaves the table of limits to the product's reader.
 */

interface Entry {
  readonly id: string;
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

/**
 * The rows of every part of a backup, by the part's id. Throws at the first difference.
 * @param read the content of one of the files in the backup's directory
 */
export function readIndependently(read: (name: string) => Buffer): Map<string, Buffer> {
  const bytes = read("manifest.json");
  const lineEnd = bytes.indexOf("\n") + 1;
  const line = bytes.subarray(0, lineEnd);
  must(line.subarray(0, 12).equals(Buffer.from('{"format":1,')), "format");
  must(bytes.subarray(lineEnd).equals(Buffer.from(`{"sha256":"${sha256(line).toString("hex")}"}\n`)), "seal");
  const { id, entries } = JSON.parse(line.toString()) as { id: string; entries: Entry[] };
  return new Map(entries.map((entry) => [entry.id, readPart(read(`${entry.id}.copy.zst`), id, entry)]));
}

function readPart(file: Buffer, backup: string, entry: Entry): Buffer {
  must(file.length === entry.storedBytes && sha256(file).toString("hex") === entry.sha256, "stored bytes");
  const texts: Buffer[] = [];
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
    const text = zstdDecompressSync(file.subarray(headerEnd, end));
    must(text.length === file.readUInt32LE(at + 16), "text length");
    texts.push(text);
    at = end;
  }
  const text = Buffer.concat(texts);
  let rows = 0;
  for (const byte of text) if (byte === 10) rows++;
  must(Number(file.readBigUInt64LE(at + 16)) === rows && rows === entry.rows, "rows");
  must(Number(file.readBigUInt64LE(at + 24)) === text.length && text.length === entry.sizeBytes, "size");
  must(text.length === 0 || text.at(-1) === 10, "last row");
  return text;
}
