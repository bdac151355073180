import type { ByteRange, Files, FileWriter } from "@replant/core";
import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCode, notA, translated } from "./fs-error.ts";
import { writeAll } from "./write-all.ts";

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const chunkBytes = 256 * 1024;

/**
 * The file system of this machine. No operation follows a symbolic link in the last part of a path that it opens, and
 * none waits for the other end of a pipe. Modes are 0600 and 0700 whatever the umask says. A failed fsync is an error,
 * never tried again: the kernel may have dropped the pages already.
 */
export function nodeFiles(): Files {
  return {
    // Nothing can lie below a file, so such a path is as absent as any other.
    read: (path) => translated(path, () => orNull(readWhole(path), ["ENOENT", "ENOTDIR"])),
    writeAtomic: (path, bytes) => translated(path, () => writeAtomic(path, bytes)),
    append: (path, bytes) => translated(path, () => append(path, bytes)),
    create: (path) => translated(path, () => create(path)),
    stream,
    list: (path) => translated(path, async () => entries((await orNull(readdir(path, { withFileTypes: true }))) ?? [])),
    sizeBytes: (path) => translated(path, async () => (await lstat(path)).size),
    makeDirectory: (path) => translated(path, () => makeDirectory(path)),
    rename: (from, to) => translated(to, () => move(from, to)),
    remove: (path) => translated(path, () => remove(path)),
  };
}

async function orNull<T>(operation: Promise<T>, absent: readonly string[] = ["ENOENT"]): Promise<T | null> {
  try {
    return await operation;
  } catch (error) {
    if (absent.includes(errorCode(error) ?? "")) return null;
    throw error;
  }
}

/** Opens a regular file and nothing else: the kind is asked of the open handle, so it cannot change in between. */
async function openRegular(path: string, flags: number): Promise<FileHandle> {
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    if (!(await file.stat()).isFile()) throw notA("a regular file", path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A new file, never one that is there; the mode is set on the handle because the umask may have taken bits away. */
async function openNew(path: string, flags: number): Promise<FileHandle> {
  const file = await openRegular(path, flags | O_CREAT | O_EXCL);
  try {
    await file.chmod(0o600);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function using<T>(file: FileHandle, work: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  return using(await openRegular(path, O_RDONLY), (file) => file.readFile());
}

async function writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  const file = await openNew(temporary, O_WRONLY);
  try {
    await using(file, async () => {
      await writeAll(file, bytes);
      await file.sync();
    });
    // Replaces a link that lies at `path`, not what the link points at.
    await rename(temporary, path);
  } catch (error) {
    // The first failure is the one to tell; a disk that refuses the write may refuse this too.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function append(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await orNull(openRegular(path, O_WRONLY | O_APPEND));
  await using(existing ?? (await openNew(path, O_WRONLY | O_APPEND)), async (file) => {
    await writeAll(file, bytes);
    await file.sync();
  });
  if (existing === null) await syncDirectory(dirname(path));
}

async function create(path: string): Promise<FileWriter> {
  const file = await openNew(path, O_WRONLY);
  return {
    write: (bytes) => translated(path, () => writeAll(file, bytes)),
    close: () => translated(path, () => using(file, () => file.sync())),
  };
}

async function* stream(path: string, range?: ByteRange): AsyncIterable<Uint8Array> {
  const { offset, lengthBytes } = range ?? { offset: 0, lengthBytes: Infinity };
  const file = await translated(path, () => openRegular(path, O_RDONLY));
  try {
    // One for all pieces: left to the garbage collector, they pile up to tens of megabytes.
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, lengthBytes));
    for (let at = 0; at < lengthBytes;) {
      const wanted = Math.min(chunk.length, lengthBytes - at);
      const { bytesRead } = await translated(path, () => file.read(chunk, 0, wanted, offset + at));
      if (bytesRead === 0) return;
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function entries(found: readonly Dirent[]): { name: string; kind: "file" | "directory" | "other" }[] {
  return found
    .map(
      (entry) =>
        ({ name: entry.name, kind: entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other" }) as const,
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Each missing level on its own, so that each gets its mode and is durable in its parent. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (errorCode(error) === "EEXIST") {
      if (!(await stat(path)).isDirectory()) throw notA("a directory", path, error);
      return;
    }
    if (errorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    return makeDirectory(path);
  }
  await chmod(path, 0o700);
  await syncDirectory(dirname(path));
}

async function move(from: string, to: string): Promise<void> {
  const there = await orNull(lstat(to));
  // The system would replace a file without a word; a directory it refuses by itself unless it is empty.
  if (there !== null && !there.isDirectory()) {
    throw Object.assign(new Error(`EEXIST: file already exists, rename '${from}' -> '${to}'`), { code: "EEXIST" });
  }
  await rename(from, to);
  await syncDirectory(dirname(to));
  if (dirname(from) !== dirname(to)) await syncDirectory(dirname(from));
}

async function remove(path: string): Promise<void> {
  if ((await orNull(lstat(path))) === null) return;
  await rm(path, { recursive: true, force: true });
  await syncDirectory(dirname(path));
}

/** Makes names in a directory durable. Windows cannot open a directory and writes names through by itself. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  await using(await open(path, O_RDONLY), async (directory) => {
    try {
      await directory.sync();
    } catch (error) {
      // Some network file systems have no such call; every other failure counts.
      if (errorCode(error) !== "EINVAL") throw error;
    }
  });
}
