import type { DatabaseRef, Files, ManagedDatabase } from "@replant/core";
import { ReplantError } from "@replant/core";
import { join } from "node:path";
import { requireMajor, type EngineFacts } from "./empty.ts";
import { processesIn } from "./holders.ts";
import { openElsewhere } from "./lock.ts";
import { dataDirectory, isLost, readMark, writeMark, type Mark, type Shelf } from "./marks.ts";
import type { Pointer } from "./pointer.ts";
import { copyTree, syncTree } from "./tree.ts";

/** Where the generations of a database lie. */
export function generationShelf(files: Files, directory: string): Shelf {
  return { files, path: join(directory, "g") };
}

/**
 * The mark of a generation that may be opened by the engine of these facts.
 * @throws ReplantError REPLANT_CONNECTION_FAILED when it is absent, half-made or was lost with the machine |
 * REPLANT_EMBEDDED_VERSION
 */
export async function usableGeneration(shelf: Shelf, ref: DatabaseRef, own: EngineFacts): Promise<Mark> {
  const mark = await readMark(shelf, ref);
  if (mark === null || !mark.complete) throw notThere("database", ref);
  if (isLost(mark)) {
    throw new ReplantError("REPLANT_CONNECTION_FAILED", `${ref.name} was lost when the machine stopped`, {
      why: "it was still being built and not all of it had reached the disk",
      state: "live was not changed",
      hint: "run the command again from the start",
    });
  }
  requireMajor(dataDirectory(shelf, mark.name), own);
  return mark;
}

/** Throws when a process that knows nothing of our lock has the live generation open. */
export function refuseOthers(shelf: Shelf, live: DatabaseRef | null, code: Parameters<typeof openElsewhere>[0]): void {
  const others = live === null ? [] : processesIn(dataDirectory(shelf, live.name));
  if (others.length > 0) throw openElsewhere(code, others);
}

/**
 * Makes a generation by copying a directory that nobody has open. The mark is there before the first file and says when
 * the last one is, so that nothing half-made is ever used or forgotten.
 */
export async function copyGeneration(shelf: Shelf, from: string, mark: Mark): Promise<DatabaseRef> {
  await shelf.files.makeDirectory(shelf.path);
  await writeMark(shelf, mark);
  copyTree(from, dataDirectory(shelf, mark.name));
  await writeMark(shelf, { ...mark, complete: true });
  return { name: mark.name, id: mark.id };
}

/** A rename, or a durable copy where the other path is on another disk. */
export async function moveTree(files: Files, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
    copyTree(from, to);
    syncTree(to);
    await files.remove(from);
  }
}

/** What `Engine.managed` says of a mark. Half-made ones are `building`, whatever they were to become. */
export function toManaged(mark: Mark, pointer: Pointer): ManagedDatabase {
  const { name, id, live, run, fingerprint, createdAt } = mark;
  const common = { name, id, live, fingerprint };
  const previous = pointer.previous.find((candidate) => candidate.id === id);
  if (!mark.complete) return { ...common, role: "building", run, createdAt };
  if (previous !== undefined) return { ...common, role: "previous", run: previous.run, createdAt: previous.at };
  return { ...common, role: mark.role, run, createdAt };
}

export function notThere(what: "database" | "baseline", ref: DatabaseRef): ReplantError {
  return new ReplantError("REPLANT_CONNECTION_FAILED", `the ${what} ${ref.name} is not there`, {
    why: "its directory is absent, half-made or being removed",
    hint: "replant status shows what is there",
  });
}
