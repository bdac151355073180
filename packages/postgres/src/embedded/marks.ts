import type { DatabaseRef, Files, NewDatabase } from "@replant/core";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineFacts } from "./empty.ts";
import { readRecord, writeRecord } from "./records.ts";

/** What a data directory is, written beside it as `<name>.json`. A directory without a mark is not ours and never dropped. */
export interface Mark extends DatabaseRef, NewDatabase {
  readonly format: 1;
  /** The live database that it was made for, and the directory of that. */
  readonly live: string;
  readonly home: string;
  /** False while the directory is being copied or removed; such a one is never opened. */
  readonly complete: boolean;
  /** Boot of the machine in which it was last written without fsync; null when all of it is on the disk. */
  readonly volatileSince: string | null;
  readonly server: EngineFacts;
  /** `name version` of what `CREATE EXTENSION` made, sorted; as of the last time it was closed. */
  readonly extensions: readonly string[];
  /** The environment mark inside the database; as of the last time it was closed. */
  readonly environment: string | null;
}

/** A directory that holds data directories and their marks: the generations of one database, or the cache of baselines. */
export interface Shelf {
  readonly files: Files;
  readonly path: string;
}

/** The data directory of a mark. */
export function dataDirectory(shelf: Shelf, name: string): string {
  return join(shelf.path, name);
}

function markPath(shelf: Shelf, name: string): string {
  return join(shelf.path, `${name}.json`);
}

export interface NewMark {
  readonly database: NewDatabase;
  readonly live: string;
  readonly home: string;
  readonly server: EngineFacts;
}

/** A mark for a directory that does not exist yet. Its name is never used again: run and a random end. */
export function newMark({ database, live, home, server }: NewMark): Mark {
  return {
    format: 1,
    name: uniqueName(database.run),
    id: randomUUID(),
    role: database.role,
    live,
    home,
    run: database.run,
    fingerprint: database.fingerprint,
    createdAt: database.createdAt,
    complete: false,
    volatileSince: bootId(),
    server,
    extensions: [],
    environment: null,
  };
}

/** A file name that nobody has used: letters of `stem` that are safe everywhere, and six random bytes. */
export function uniqueName(stem: string): string {
  return `${stem.replaceAll(/[^A-Za-z0-9-]/g, "").slice(0, 40)}-${randomBytes(6).toString("hex")}`;
}

/** Durable when it returns. */
export async function writeMark(shelf: Shelf, mark: Mark): Promise<void> {
  await writeRecord(shelf.files, markPath(shelf, mark.name), mark);
}

export async function removeMark(shelf: Shelf, name: string): Promise<void> {
  await shelf.files.remove(markPath(shelf, name));
}

/** The mark of this name and id, or null. */
export async function readMark(shelf: Shelf, ref: DatabaseRef): Promise<Mark | null> {
  if (!/^[A-Za-z0-9-]+$/.test(ref.name)) return null;
  const mark = await readRecord(shelf.files, markPath(shelf, ref.name), asMark);
  return mark?.id === ref.id ? mark : null;
}

/** All marks on the shelf, oldest first. */
export async function listMarks(shelf: Shelf): Promise<Mark[]> {
  const names = (await shelf.files.list(shelf.path))
    .filter((entry) => entry.kind === "file" && /^[A-Za-z0-9-]+\.json$/.test(entry.name))
    .map((entry) => entry.name);
  const marks = await Promise.all(names.map((name) => readRecord(shelf.files, join(shelf.path, name), asMark)));
  return marks
    .filter((mark) => mark !== null)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.name.localeCompare(b.name));
}

/** True when the machine went down while the directory was not on the disk yet: nobody knows what is in it. */
export function isLost(mark: Mark): boolean {
  return mark.volatileSince !== null && mark.volatileSince !== bootId();
}

/** Changes at every boot of the machine; the same text for ever where the system has none to offer. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "unknown";
  }
}

function asMark(value: Record<string, unknown>): Mark | null {
  const texts = ["name", "id", "role", "live", "home", "run", "createdAt"];
  const valid =
    value.format === 1 && texts.every((key) => typeof value[key] === "string") && typeof value.complete === "boolean";
  return valid ? (value as unknown as Mark) : null;
}
