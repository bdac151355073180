import type { BackupEntry } from "@replant/core";
import { createHash } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import { chainNext, chainStart, encodeHeader, frameBytes, type Header } from "./part.ts";
import { release } from "./release.ts";
import { rowCounter } from "./row-counter.ts";

/** What was written, as the manifest's entry records it. */
export interface PartTotals {
  readonly rows: number;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly sha256: string;
}

export interface PartTarget {
  readonly backup: string;
  readonly part: Pick<BackupEntry, "id" | "copy" | "columns">;
  /** Takes the stored bytes in order; they are valid until it returns. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

// One piece of output per frame, instead of several that have to be joined; what does not compress grows a little.
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: frameBytes + 4096 };

/**
 * Writes what COPY gives as one part. Memory stays at a few frames however much that is.
 * @throws Error when it ends inside a row: then it is not all that the server had to say
 */
export async function writePart(target: PartTarget, rows: AsyncIterable<Uint8Array>): Promise<PartTotals> {
  const hash = createHash("sha256");
  const counter = rowCounter(target.part);
  const totals = { sizeBytes: 0, storedBytes: 0 };
  let chain = chainStart(target.backup, target.part.id);
  let sequence = 0;

  const put = async (header: Header, stored: Uint8Array): Promise<void> => {
    chain = chainNext(chain, header, stored);
    sequence++;
    for (const bytes of [encodeHeader(header, chain), stored]) {
      hash.update(bytes);
      totals.storedBytes += bytes.length;
      await target.write(bytes);
    }
  };
  for await (const piece of framesOf(rows)) {
    counter.push(piece);
    totals.sizeBytes += piece.length;
    const stored = zstdCompressSync(piece, compression);
    await put({ kind: "data", sequence, copyBytes: piece.length, storedBytes: stored.length }, stored);
    release(stored);
  }
  if (!counter.complete) throw new Error(`the rows of part ${target.part.id} ended in the middle of a row`);
  await put({ kind: "last", sequence, rows: counter.rows, copyBytes: totals.sizeBytes }, new Uint8Array());
  return { rows: counter.rows, ...totals, sha256: hash.digest("hex") };
}

/** The same bytes in pieces of exactly `frameBytes`, but for the last. A piece is valid until the next one is asked for. */
async function* framesOf(rows: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const frame = Buffer.allocUnsafe(frameBytes);
  let filled = 0;
  for await (const chunk of rows) {
    for (let offset = 0; offset < chunk.length;) {
      const taken = chunk.subarray(offset, offset + frameBytes - filled);
      frame.set(taken, filled);
      filled += taken.length;
      offset += taken.length;
      if (filled < frameBytes) continue;
      yield frame;
      filled = 0;
    }
  }
  if (filled > 0) yield frame.subarray(0, filled);
}
