/** How a row was found among those that were counted before. */
export type Found = "same" | "changed" | "new";

/** Rows by the hash of their key, whatever they hold: 36 bytes each, and as many free ones at most. */
export interface Tally {
  /** Counts one row of the first side. */
  add(key: Uint8Array, row: Uint8Array): void;
  /** Takes one row of the other side out again. */
  take(key: Uint8Array, row: Uint8Array): Found;
  /** Rows that were added and not taken. */
  left(): number;
}

/** A slot: four words of the key's hash, four of the row's, and how many rows with this key are there. */
const words = 9;

/** Counts rows by 16 bytes of hash for the key and 16 for the row. Rows with one key are counted as often as they stand there. */
export function createTally(): Tally {
  let table = new Uint32Array(1024 * words);
  let [count, keys] = [0, 0];

  /** Where the key stands, or the free slot where it belongs. */
  const find = (key: Uint32Array): number => {
    const slots = table.length / words;
    for (let slot = (key[0] ?? 0) % slots; ; slot = (slot + 1) % slots) {
      const at = slot * words;
      if (equal(table, at, key) || equal(table, at, free)) return at;
    }
  };
  const grow = (): void => {
    const old = table;
    table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += words) {
      const slot = old.subarray(at, at + words);
      if (!equal(old, at, free)) table.set(slot, find(slot));
    }
  };
  return {
    add: (key, row) => {
      if (keys * words * 1.5 > table.length) grow();
      const hash = wordsOf(key);
      const at = find(hash);
      if (equal(table, at, free)) keys += 1;
      table.set(hash, at);
      table.set(wordsOf(row), at + 4);
      table[at + 8] = (table[at + 8] ?? 0) + 1;
      count += 1;
    },
    take: (key, row) => {
      const at = find(wordsOf(key));
      const left = table[at + 8] ?? 0;
      if (left === 0) return "new";
      table[at + 8] = left - 1;
      count -= 1;
      return equal(table, at + 4, wordsOf(row)) ? "same" : "changed";
    },
    left: () => count,
  };
}

const free = new Uint32Array(4);

function equal(table: Uint32Array, at: number, hash: Uint32Array): boolean {
  return table[at] === hash[0] && table[at + 1] === hash[1] && table[at + 2] === hash[2] && table[at + 3] === hash[3];
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}
