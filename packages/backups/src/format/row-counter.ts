import type { BackupEntry } from "@replant/core";

/** Counts the rows in the bytes of a part as they pass, whatever the cuts between them. */
export interface RowCounter {
  /** Throws `NotCopyData` at the first byte that COPY would not have written. */
  push(bytes: Uint8Array): void;
  /** Rows so far. */
  readonly rows: number;
  /** True where a part may end: not inside a row, and behind the trailer of the binary form. */
  readonly complete: boolean;
}

export class NotCopyData extends Error {}

/** @param part the form of COPY, and the columns that each row has */
export function rowCounter({ copy, columns }: Pick<BackupEntry, "copy" | "columns">): RowCounter {
  return copy === "text" ? new TextCounter() : new BinaryRows(columns.length, {});
}

const newline = 10;

/** COPY text escapes a newline inside a value, so each one ends a row. */
class TextCounter implements RowCounter {
  rows = 0;
  complete = true;

  push(bytes: Uint8Array): void {
    let rows = 0;
    // Every byte of a backup passes here: an iterator would take several times as long.
    for (let at = 0; at < bytes.length; at++) if (bytes[at] === newline) rows++;
    this.rows += rows;
    if (bytes.length > 0) this.complete = bytes.at(-1) === newline;
  }
}

/** What a reader of the binary form may want to know. `value` comes in pieces; NULL has none, and a length of -1. */
export interface BinaryVisitor {
  readonly field?: (index: number, lengthBytes: number) => void;
  readonly value?: (bytes: Uint8Array) => void;
  readonly row?: () => void;
}

type State = "head" | "count" | "length" | "value" | "end";

const signature = Buffer.from("PGCOPY\n\u00ff\r\n\0", "latin1");
/** Signature, flags, and the length of an extension that nobody has defined. */
const headBytes = signature.length + 8;

/**
 * Walks through COPY's binary form without holding more than four bytes of it. Layout: PostgreSQL's documentation of COPY,
 * "Binary Format". Flags and extension are zero in everything that a server writes today, and nothing else is taken.
 */
export class BinaryRows implements RowCounter {
  rows = 0;
  readonly #columns: number;
  readonly #visitor: BinaryVisitor;
  /** What the next bytes are. */
  #state: State = "head";
  /** Bytes of that which are still to come. */
  #missing = headBytes;
  readonly #number = Buffer.alloc(4);
  #field = 0;

  constructor(columns: number, visitor: BinaryVisitor) {
    this.#columns = columns;
    this.#visitor = visitor;
  }

  get complete(): boolean {
    return this.#state === "end";
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#state === "end") throw new NotCopyData("it goes on after its trailer");
      const taken = Math.min(this.#missing, bytes.length - at);
      if (this.#state === "value") this.#visitor.value?.(bytes.subarray(at, at + taken));
      else this.#collect(bytes.subarray(at, at + taken));
      at += taken;
      this.#missing -= taken;
      if (this.#missing === 0) this.#advance();
    }
  }

  #collect(bytes: Uint8Array): void {
    const width = this.#state === "head" ? headBytes : this.#state === "count" ? 2 : 4;
    const start = width - this.#missing;
    if (this.#state !== "head") this.#number.set(bytes, start);
    else if (!bytes.every((byte, i) => byte === (signature[start + i] ?? 0)))
      throw new NotCopyData("its head is wrong");
  }

  #advance(): void {
    if (this.#state === "head") this.#expect("count", 2);
    else if (this.#state === "count") this.#begin(this.#number.readInt16BE());
    else if (this.#state === "length") this.#open(this.#number.readInt32BE());
    else this.#close();
  }

  #begin(fields: number): void {
    if (fields === -1) return this.#expect("end", 0);
    if (fields !== this.#columns) throw new NotCopyData(`a row has ${fields} values instead of ${this.#columns}`);
    this.#field = -1;
    this.#close();
  }

  #open(lengthBytes: number): void {
    if (lengthBytes < -1) throw new NotCopyData("a value has no length");
    this.#visitor.field?.(this.#field, lengthBytes);
    if (lengthBytes <= 0) this.#close();
    else this.#expect("value", lengthBytes);
  }

  /** Goes on behind a value: to the next one, or to the next row. */
  #close(): void {
    this.#field += 1;
    if (this.#field < this.#columns) return this.#expect("length", 4);
    this.rows += 1;
    this.#visitor.row?.();
    this.#expect("count", 2);
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#missing = bytes;
  }
}
