import type { Files, LockHolder } from "@replant/core";
import { ReplantError } from "@replant/core";
import { statSync } from "node:fs";
import type { Socket } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./empty.ts";
import { askToYield } from "./handover.ts";
import type { OpenProcess } from "./holders.ts";
import { writeRecord } from "./records.ts";

/** What `lock.json` says; it names the holder and decides nothing. */
export interface HolderInfo extends LockHolder {
  /** Where a served database can be asked to let go; null for everybody else. */
  readonly socket: string | null;
  /** Where it is served; null for everybody else. */
  readonly port: number | null;
}

/** The kernel's lock on one database directory. It ends with the process, however that ends. */
export interface DirectoryLock {
  /** Throws REPLANT_LOCKED when the lock file was removed or replaced, so that somebody else may hold its successor. */
  assertHeld(): void;
  /** Names another holder within this process. */
  rename(holder: LockHolder): Promise<void>;
  /** May be called twice. */
  release(): Promise<void>;
}

export interface LockRequest {
  readonly directory: string;
  readonly files: Files;
  readonly holder: HolderInfo;
  /** Ask a process that serves the database to let go, and let it come back afterwards. */
  readonly handOver: boolean;
}

/** In the place of a run's id: a command that reads, and is gone again soon. */
export const passingRun = "none";

const pauseMs = 25;
const attemptsMax = 200;

/**
 * Takes the lock or throws REPLANT_LOCKED with the holder named. A dead holder never blocks, because the kernel has let go for it;
 * its `lock.json` is then stale and overwritten.
 */
export async function lockDirectory(request: LockRequest): Promise<DirectoryLock> {
  const { directory, files, holder } = request;
  await files.makeDirectory(directory);
  let yielded: Socket | null = null;
  try {
    for (let attempt = 0; ; attempt += 1) {
      const database = await beginExclusive(lockPath(directory));
      if (database !== null) return await held(request, database, yielded);
      const info = await readHolder(files, directory);
      if (info !== null && info.socket !== null && request.handOver && yielded === null) {
        yielded = await askToYield(info.socket, holder.run);
        if (yielded !== null) continue;
      }
      // Give a moment to who has not written a name yet, and to who only reads.
      const stays = info !== null && info.run !== passingRun && isThere(info);
      if (stays || attempt >= attemptsMax) throw lockedBy(info);
      await sleep(pauseMs);
    }
  } catch (error) {
    yielded?.destroy();
    throw error;
  }
}

/** The name in `lock.json`, or null; it may be stale. */
export async function readHolder(files: Files, directory: string): Promise<HolderInfo | null> {
  const bytes = await files.read(infoPath(directory));
  try {
    const value: unknown = bytes === null ? null : JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null && "pid" in value ? (value as HolderInfo) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Says that applications, which know nothing of our lock, have the data directory open. */
export function openElsewhere(
  code: "REPLANT_LOCKED" | "REPLANT_FENCE_BLOCKED" | "REPLANT_SWAP_FAILED",
  found: readonly OpenProcess[],
): ReplantError {
  const [first] = found;
  const who = first === undefined ? "another process" : `process ${first.pid} (${first.name})`;
  return new ReplantError(code, `${who} has the database open`, {
    why: "an embedded database has one user at a time; of two, one loses its writes without a word",
    state: "live was not changed",
    hint: "stop that process, or let it connect through replant serve, which steps aside for a reset",
    items: found.map(({ pid, name }) => `process ${pid} (${name})`),
  });
}

function lockPath(directory: string): string {
  return join(directory, "lock.db");
}

function infoPath(directory: string): string {
  return join(directory, "lock.json");
}

/** An open transaction of SQLite is a lock of the kernel on its file. null: somebody else has it. */
async function beginExclusive(path: string): Promise<DatabaseSync | null> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("begin exclusive");
    return database;
  } catch (error) {
    database.close();
    const busy = 5;
    if (error instanceof Error && "errcode" in error && error.errcode === busy) return null;
    throw error;
  }
}

async function held(
  { directory, files, holder }: LockRequest,
  database: DatabaseSync,
  yielded: Socket | null,
): Promise<DirectoryLock> {
  const { ino } = statSync(lockPath(directory));
  let open = true;
  const lock: DirectoryLock = {
    assertHeld() {
      const now = statSync(lockPath(directory), { throwIfNoEntry: false });
      if (open && now?.ino === ino) return;
      throw new ReplantError("REPLANT_LOCKED", "the lock of this database was lost", {
        why: open ? `${lockPath(directory)} was removed or replaced while it was held` : "it was released",
        state: "live was not changed",
        hint: "leave the directory of the database alone while a command runs, and run the command again",
      });
    },
    async rename(next) {
      await writeRecord(files, infoPath(directory), { ...next, socket: null, port: null } satisfies HolderInfo);
    },
    async release() {
      if (!open) return;
      open = false;
      try {
        await files.remove(infoPath(directory));
      } finally {
        database.close();
        yielded?.destroy();
      }
    },
  };
  try {
    await writeRecord(files, infoPath(directory), holder);
    return lock;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isThere(info: HolderInfo): boolean {
  return info.host !== hostname() || isAlive(info.pid);
}

/** REPLANT_LOCKED with the holder named, when that is known. */
export function lockedBy(info: HolderInfo | null): ReplantError {
  const who = info === null ? "another process" : `"${info.command}" (process ${info.pid} on ${info.host})`;
  return new ReplantError("REPLANT_LOCKED", `${who} works on this database`, {
    ...(info === null ? {} : { why: `run ${info.run} holds the lock since ${info.since}` }),
    state: "nothing was changed",
    hint: "wait until it has ended and run the command again; if it hangs, stop that process: its lock ends with it",
    items:
      info === null
        ? []
        : [`run ${info.run}`, `command ${info.command}`, `pid ${info.pid}`, `host ${info.host}`, `since ${info.since}`],
  });
}
