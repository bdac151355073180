import type { DatabaseRef, Files } from "@replant/core";
import { join } from "node:path";
import { readRecord, writeRecord } from "./records.ts";

/** A generation that was live before. */
export interface PreviousGeneration extends DatabaseRef {
  /** The run whose swap replaced it, and when (ISO 8601, UTC). */
  readonly run: string;
  readonly at: string;
}

/** Which generation is live. Written whole, in one atomic step: that write is the swap. */
export interface Pointer {
  readonly format: 1;
  readonly live: DatabaseRef | null;
  /** Newest first; `undo` takes the first. Those that were dropped are left out at the next write. */
  readonly previous: readonly PreviousGeneration[];
  /** System identifier of the first live generation: the identity of this database through all later ones. */
  readonly systemIdentifier: string | null;
}

const empty: Pointer = { format: 1, live: null, previous: [], systemIdentifier: null };

function pointerPath(directory: string): string {
  return join(directory, "current.json");
}

/** The pointer, or one that names nothing when there is none yet. */
export async function readPointer(files: Files, directory: string): Promise<Pointer> {
  return (await readRecord(files, pointerPath(directory), asPointer)) ?? empty;
}

/** Durable when it returns. When it throws, either the old or the new one is there. */
export async function writePointer(files: Files, directory: string, pointer: Pointer): Promise<void> {
  await writeRecord(files, pointerPath(directory), pointer);
}

function asPointer(value: Record<string, unknown>): Pointer | null {
  const { format, live, previous, systemIdentifier } = value;
  if (format !== 1 || !Array.isArray(previous) || !previous.every(isPrevious)) return null;
  if (live !== null && !isRef(live)) return null;
  if (systemIdentifier !== null && typeof systemIdentifier !== "string") return null;
  return { format, live, previous, systemIdentifier };
}

function isRef(value: unknown): value is DatabaseRef {
  return hasText(value, "name") && hasText(value, "id");
}

function isPrevious(value: unknown): value is PreviousGeneration {
  return isRef(value) && hasText(value, "run") && hasText(value, "at");
}

function hasText(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && typeof (value as Record<string, unknown>)[key] === "string";
}
