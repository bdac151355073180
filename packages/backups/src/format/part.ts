import { createHash } from "node:crypto";

/** Bytes of COPY in one frame; the last one of a part may hold less. */
export const frameBytes = 256 * 1024;
/** What a reader accepts of any writer. Bounds the memory that a hostile part can make a reader use. */
export const frameMaxBytes = 1024 * 1024;
/** What does not compress grows a little. */
export const frameMaxStoredBytes = frameMaxBytes + 64 * 1024;
/** The zstd window that a frame may ask for, as a power of two: 1 MiB. */
export const frameWindowLog = 20;

/** Our headers are skippable frames of zstd, so that any zstd tool gives what COPY gave. */
export const skippableMagic = 0x184d2a50;
const magicBytes = 8;
const digestBytes = 32;

/** Stands before each zstd frame, and tells how long it is. */
export interface DataHeader {
  readonly kind: "data";
  readonly sequence: number;
  readonly copyBytes: number;
  readonly storedBytes: number;
}

/** Ends a part. */
export interface LastHeader {
  readonly kind: "last";
  readonly sequence: number;
  readonly rows: number;
  readonly copyBytes: number;
}

export type Header = DataHeader | LastHeader;

/** Bytes that tell a header's length: read these, then `headerRest` of them. */
export const headerStartBytes = magicBytes;

/** The digest before the first frame: no frame fits into another backup or another part. */
export function chainStart(backup: string, part: string): Buffer {
  return createHash("sha256").update(`replant backup part 1\n${backup}\n${part}\n`).digest();
}

/** The digest of a frame, over the one before it, its own header and its stored bytes. */
export function chainNext(previous: Uint8Array, header: Header, stored: Uint8Array): Buffer {
  return createHash("sha256").update(previous).update(headerFields(header)).update(stored).digest();
}

export function encodeHeader(header: Header, chain: Uint8Array): Buffer {
  const fields = headerFields(header);
  const start = Buffer.alloc(magicBytes);
  start.writeUInt32LE(skippableMagic, 0);
  start.writeUInt32LE(fields.length + digestBytes, 4);
  return Buffer.concat([start, fields, chain]);
}

function headerFields(header: Header): Buffer {
  const fields = Buffer.alloc(header.kind === "data" ? 16 : 24);
  fields.write(header.kind, 0, "latin1");
  fields.writeUInt32LE(header.sequence, 4);
  if (header.kind === "data") {
    fields.writeUInt32LE(header.copyBytes, 8);
    fields.writeUInt32LE(header.storedBytes, 12);
  } else {
    fields.writeBigUInt64LE(BigInt(header.rows), 8);
    fields.writeBigUInt64LE(BigInt(header.copyBytes), 16);
  }
  return fields;
}

/** How many bytes of a header follow its start; null when this is no header of ours. */
export function headerRest(start: Buffer): number | null {
  const length = start.readUInt32LE(4);
  const known = length === 16 + digestBytes || length === 24 + digestBytes;
  return start.readUInt32LE(0) === skippableMagic && known ? length : null;
}

/** The header in these bytes and the digest that it claims; null when they are neither kind or past the limits. */
export function decodeHeader(rest: Buffer): { readonly header: Header; readonly chain: Buffer } | null {
  const kind = rest.toString("latin1", 0, 4);
  const sequence = rest.readUInt32LE(4);
  const chain = rest.subarray(rest.length - digestBytes);
  if (kind === "data" && rest.length === 16 + digestBytes) {
    const copyBytes = rest.readUInt32LE(8);
    const storedBytes = rest.readUInt32LE(12);
    if (copyBytes < 1 || copyBytes > frameMaxBytes || storedBytes > frameMaxStoredBytes) return null;
    return { header: { kind, sequence, copyBytes, storedBytes }, chain };
  }
  if (kind === "last" && rest.length === 24 + digestBytes) {
    const [rows, copyBytes] = [Number(rest.readBigUInt64LE(8)), Number(rest.readBigUInt64LE(16))];
    if (!Number.isSafeInteger(rows) || !Number.isSafeInteger(copyBytes)) return null;
    return { header: { kind, sequence, rows, copyBytes }, chain };
  }
  return null;
}
