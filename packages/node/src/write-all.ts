/** What a write needs of a file handle; Node's `FileHandle` is one. */
export interface ShortWriter {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
}

/**
 * Writes every byte or throws. One call of the system may write less than it was given and report no error: a nearly
 * full disk does that, and what was renamed into place afterwards would be a truncated file.
 */
export async function writeAll(file: ShortWriter, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset);
    // A regular file that takes nothing and gives no reason would keep this loop turning for ever.
    if (bytesWritten === 0) throw new Error(`the file took ${offset} of ${bytes.length} bytes and then no more`);
    offset += bytesWritten;
  }
}
