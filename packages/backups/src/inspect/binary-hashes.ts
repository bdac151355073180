import type { BackupEntry, BackupReader } from "@replant/core";
import { createHash, type Hash } from "node:crypto";
import { BinaryRows } from "../format/row-counter.ts";

export interface RowHashes {
  readonly keyHash: Buffer;
  readonly rowHash: Buffer;
}

/**
 * The hashes of rows in binary form. A value is hashed as it passes, because it may be larger than memory; each on its own, so
 * that the order of columns in a part does not matter.
 */
export async function* binaryHashes(
  reader: BackupReader,
  { entry, keyAt, commonAt }: { entry: BackupEntry; keyAt: readonly number[]; commonAt: readonly number[] },
): AsyncIterable<RowHashes> {
  let found: RowHashes[] = [];
  let values: Hash[] = [];
  const rows = new BinaryRows(entry.columns.length, {
    // The length tells NULL from nothing.
    field: (_, lengthBytes) => void values.push(createHash("sha256").update(`${lengthBytes}:`)),
    value: (bytes) => void values.at(-1)?.update(bytes),
    row: () => {
      const digests = values.map((value) => value.digest());
      found.push({ keyHash: hashOf(digests, keyAt), rowHash: hashOf(digests, commonAt) });
      values = [];
    },
  });
  for await (const piece of reader.rows(entry.id)) {
    rows.push(piece);
    yield* found;
    found = [];
  }
}

function hashOf(digests: readonly Buffer[], places: readonly number[]): Buffer {
  const hash = createHash("sha256");
  for (const place of places) hash.update(digests[place] ?? "");
  return hash.digest();
}
