const headerBytes = 5;
const copyData = 0x64;
/** CopyOutResponse, and what a server may say at any time: notices, notifications, settings. */
const beside: readonly number[] = [0x48, 0x4e, 0x41, 0x53];

/** Parts rows from other messages in a server's answer to `COPY … TO STDOUT`, which comes cut anywhere. */
export class CopyMessages {
  readonly #other: (bytes: Buffer<ArrayBuffer>) => void;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** Bytes of the message that are still to come. */
  #left = 0;
  /** What came after the last row, from the first byte of its message on; null while rows may come. */
  rest: Buffer<ArrayBuffer> | null = null;

  /** @param other takes what is no row while rows may come, cut anywhere */
  constructor(other: (bytes: Buffer<ArrayBuffer>) => void) {
    this.#other = other;
  }

  /** Moves the content of rows to the front of `bytes`, instead of making an object of each; returns its length. */
  take(bytes: Buffer): number {
    let length = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) {
        at += this.#takeHeader(bytes, at);
        if (this.rest !== null) return length;
      }
      const end = Math.min(bytes.length, at + this.#left);
      if (this.#header[0] === copyData) {
        bytes.copyWithin(length, at, end);
        length += end - at;
      } else if (end > at) {
        this.#other(Buffer.from(bytes.subarray(at, end)));
      }
      this.#left -= end - at;
      at = end;
    }
    return length;
  }

  /** Returns the bytes taken. The header is complete when `#headerFilled` is 0 again. */
  #takeHeader(bytes: Buffer, at: number): number {
    const taken = bytes.copy(this.#header, this.#headerFilled, at, at + headerBytes - this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled < headerBytes) return taken;
    this.#headerFilled = 0;
    const kind = this.#header[0] ?? 0;
    if (kind === copyData || beside.includes(kind)) {
      this.#left = this.#header.readUInt32BE(1) - (headerBytes - 1);
      if (kind !== copyData) this.#other(Buffer.from(this.#header));
    } else {
      this.rest = Buffer.concat([this.#header, bytes.subarray(at + taken)]);
    }
    return taken;
  }
}
