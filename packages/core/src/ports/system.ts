/** Time and names, so that core reads no clock. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** A new run id: `20261120T094102123Z-a81f`, sorted by time, unique by its random end. */
  runId(): string;
  readonly pid: number;
  readonly host: string;
}

/**
 * The file system, as small as the product needs it. Every write is complete or throws; durable where it says so.
 * @throws ReplantError REPLANT_DISK_FULL | REPLANT_STORE_UNREADABLE, other errors as Node gives them
 */
export interface Files {
  /** null when absent. Refuses anything but a regular file; does not follow a symbolic link. */
  read(path: string): Promise<Uint8Array | null>;
  /** Temporary name, write, fsync, rename over `path`, fsync of the directory. Mode 0600. */
  writeAtomic(path: string, bytes: Uint8Array): Promise<void>;
  /** Appends and fsyncs; creates with mode 0600. */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** A new file (fails when it exists), mode 0600. `close` fsyncs. */
  create(path: string): Promise<FileWriter>;
  /**
   * Streams a regular file: all of it, or the bytes of a range, of which fewer come where the file ends before it. A piece is
   * valid until the next one is asked for, so that a file of any length costs one piece of memory.
   */
  stream(path: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  /** Names in a directory, sorted; empty when absent. */
  list(path: string): Promise<{ readonly name: string; readonly kind: "file" | "directory" | "other" }[]>;
  sizeBytes(path: string): Promise<number>;
  /** With parents, mode 0700. */
  makeDirectory(path: string): Promise<void>;
  /** Renames and fsyncs the parent directory. Fails when `to` exists and is not empty. */
  rename(from: string, to: string): Promise<void>;
  /** Recursive; absent is success. */
  remove(path: string): Promise<void>;
}

export interface ByteRange {
  readonly offset: number;
  readonly lengthBytes: number;
}

export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Imports a JavaScript or TypeScript module of the project by its absolute path, with whatever it takes to run TypeScript. */
export type ImportModule = (path: string) => Promise<Record<string, unknown>>;
