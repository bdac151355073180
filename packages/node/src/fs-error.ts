import { ReplantError } from "@replant/core";

/** The `code` of an error of Node's (`ENOENT`), or undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The error for a path that is there but is not what it must be (`a regular file`, `a directory`). */
export function notA(kind: string, path: string, cause?: unknown): ReplantError {
  return new ReplantError("REPLANT_STORE_UNREADABLE", `${path} is not ${kind}`, {
    where: path,
    why: "Replant follows no symbolic link here and opens no pipe, device or socket",
    hint: "look at what lies there; move it away if it does not belong there",
    cause,
  });
}

/** What the codes of the operating system mean for the person; codes that are absent here pass as Node gives them. */
const meanings: Readonly<Record<string, (path: string, cause: unknown) => ReplantError>> = {
  ENOSPC: (path, cause) => full(path, "the device has no space left", cause),
  EDQUOT: (path, cause) => full(path, "the disk quota of this user is used up", cause),
  EFBIG: (path, cause) => full(path, "the file would pass the size limit of this process or file system", cause),
  EACCES: (path, cause) => denied(path, "this user has no permission for it", cause),
  EPERM: (path, cause) => denied(path, "the operation is not permitted to this user", cause),
  EROFS: (path, cause) => denied(path, "the file system is mounted read-only", cause),
  ELOOP: (path, cause) => notA("a regular file but a symbolic link", path, cause),
  ENXIO: (path, cause) => notA("a regular file", path, cause),
  EISDIR: (path, cause) => notA("a regular file but a directory", path, cause),
  ENOTDIR: (path, cause) => notA("a directory, or lies below a file", path, cause),
};

/** Runs one file operation and gives its failure a code of ours, with the path that it was about. */
export async function translated<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const meaning = meanings[errorCode(error) ?? ""];
    throw meaning === undefined ? error : meaning(path, error);
  }
}

function full(path: string, why: string, cause: unknown): ReplantError {
  return new ReplantError("REPLANT_DISK_FULL", `no space to write ${path}`, {
    where: path,
    why,
    hint: "free some space, or let the store live on another disk, and run the command again",
    cause,
  });
}

function denied(path: string, why: string, cause: unknown): ReplantError {
  return new ReplantError("REPLANT_STORE_UNREADABLE", `${path} cannot be read or written`, {
    where: path,
    why,
    hint: "check owner and mode of the path and of the directories above it",
    cause,
  });
}
