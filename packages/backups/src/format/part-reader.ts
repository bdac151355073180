import type { BackupEntry } from "@replant/core";
import { createHash, type Hash } from "node:crypto";
import { constants, zstdDecompressSync } from "node:zlib";
import { damaged } from "./damage.ts";
import {
  chainNext,
  chainStart,
  decodeHeader,
  frameBytes,
  frameWindowLog,
  headerRest,
  headerStartBytes,
  type DataHeader,
  type Header,
} from "./part.ts";
import { ownMemoryBytes, release } from "./release.ts";
import { NotCopyData, rowCounter, type RowCounter } from "./row-counter.ts";

export interface PartSource {
  readonly backup: string;
  /** What the manifest says about the part. */
  readonly entry: BackupEntry;
  readonly stored: AsyncIterable<Uint8Array>;
}

/**
 * A part as COPY gave it, frame by frame; each frame is verified before it is given out, the totals before the end.
 * Holds two frames and what `stored` gives at once, whatever the part claims; a piece is valid until the next one is asked for.
 * @throws ReplantError REPLANT_BACKUP_DAMAGED at the first difference
 */
export async function* readPart(source: PartSource): AsyncIterable<Uint8Array> {
  const { backup, entry } = source;
  const hash = createHash("sha256");
  const bytes = byteReader(source.stored, hash);
  const counter = rowCounter(entry);
  let chain = chainStart(backup, entry.id);
  let sizeBytes = 0;
  const refuse = (why: string): Error => damaged(backup, `part ${entry.id} ${why}`);

  try {
    for (let sequence = 0; ; sequence++) {
      const next = await readHeader(bytes);
      if (next === null) throw refuse(`is cut short or changed at frame ${sequence}`);
      const { header } = next;
      const stored = header.kind === "data" ? await bytes.take(header.storedBytes) : Buffer.alloc(0);
      if (stored === null) throw refuse(`is cut short in frame ${sequence}`);
      chain = chainNext(chain, header, stored);
      if (header.sequence !== sequence || !chain.equals(next.chain)) throw refuse(`is changed at frame ${sequence}`);
      if (header.kind === "last") {
        const same = header.rows === counter.rows && header.copyBytes === sizeBytes && counter.complete;
        if (!same) throw refuse("does not hold the rows that its end says");
        break;
      }
      const piece = decompress(header, stored);
      if (piece === null) throw refuse(`cannot be unpacked at frame ${sequence}`);
      sizeBytes += piece.length;
      // Else a part whose frames are all in order could give out far more than its manifest admits.
      if (sizeBytes > entry.sizeBytes) throw refuse("holds more than the manifest says");
      if (!counts(counter, piece)) throw refuse(`is not what COPY writes at frame ${sequence}`);
      yield piece;
      release(piece);
    }
    if ((await bytes.take(1)) !== null) throw refuse("goes on after its end");
    if (counter.rows !== entry.rows || sizeBytes !== entry.sizeBytes || hash.digest("hex") !== entry.sha256) {
      throw refuse("is not the one that the manifest describes");
    }
  } finally {
    await bytes.close();
  }
}

/** False when these bytes are none of the part's form of COPY. */
function counts(counter: RowCounter, piece: Uint8Array): boolean {
  try {
    counter.push(piece);
    return true;
  } catch (error) {
    if (error instanceof NotCopyData) return false;
    throw error;
  }
}

async function readHeader(bytes: ByteReader): Promise<{ header: Header; chain: Buffer } | null> {
  const start = await bytes.take(headerStartBytes);
  const length = start === null ? null : headerRest(start);
  const rest = length === null ? null : await bytes.take(length);
  // What is taken is valid until something else is taken, and the digest is compared after that.
  return rest === null ? null : decodeHeader(Buffer.from(rest));
}

/** null when the bytes are no zstd, are another length than declared, or want more memory than a frame may. */
function decompress(header: DataHeader, stored: Uint8Array): Buffer | null {
  try {
    const piece = zstdDecompressSync(stored, {
      maxOutputLength: header.copyBytes,
      // One piece of output, instead of many that have to be joined.
      chunkSize: Math.max(header.copyBytes, ownMemoryBytes),
      params: { [constants.ZSTD_d_windowLogMax]: frameWindowLog },
    });
    return piece.length === header.copyBytes ? piece : null;
  } catch {
    return null;
  }
}

interface ByteReader {
  /** Exactly `length` bytes, valid until the next are taken; null when fewer are left. */
  take(length: number): Promise<Buffer | null>;
  close(): Promise<void>;
}

/** Gives a stream out in lengths of the caller's choice, in one buffer, and hashes what it gives. */
function byteReader(stream: AsyncIterable<Uint8Array>, hash: Hash): ByteReader {
  const chunks = stream[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array();
  let buffer = Buffer.allocUnsafe(64 * 1024);
  return {
    take: async (length) => {
      if (length > buffer.length) buffer = Buffer.allocUnsafe(Math.max(length, frameBytes));
      for (let filled = 0; filled < length;) {
        if (left.length === 0) {
          const next = await chunks.next();
          if (next.done === true) return null;
          left = next.value;
        }
        const piece = left.subarray(0, length - filled);
        buffer.set(piece, filled);
        filled += piece.length;
        left = left.subarray(piece.length);
      }
      const bytes = buffer.subarray(0, length);
      hash.update(bytes);
      return bytes;
    },
    close: async () => {
      await chunks.return?.();
    },
  };
}
