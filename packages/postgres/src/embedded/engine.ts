import type {
  Catalog,
  DatabaseRef,
  Engine,
  Fence,
  Files,
  ForeignSession,
  LockHolder,
  ManagedDatabase,
  NewDatabase,
  RunLock,
  SqlSession,
  SwapRequest,
  SwapResult,
  TableName,
  TargetFacts,
} from "@replant/core";
import { ReplantError } from "@replant/core";
import { hostname } from "node:os";
import { join } from "node:path";
import { readCatalog } from "../shared/catalog.ts";
import { emptyDirectory, requireMajor, systemIdentifier, type EmptyDirectory } from "./empty.ts";
import {
  copyGeneration,
  generationShelf,
  moveTree,
  notThere,
  refuseOthers,
  toManaged,
  usableGeneration,
} from "./generations.ts";
import { processesIn } from "./holders.ts";
import { lockDirectory, lockedBy, passingRun, readHolder, type DirectoryLock, type HolderInfo } from "./lock.ts";
import { servedSession } from "./served-session.ts";
import { SharedLock } from "./shared-lock.ts";
import {
  dataDirectory,
  listMarks,
  newMark,
  readMark,
  removeMark,
  uniqueName,
  writeMark,
  type Mark,
  type Shelf,
} from "./marks.ts";
import { readPointer, writePointer, type Pointer } from "./pointer.ts";
import { applyProperties, readProperties, type DatabaseProperties } from "./properties.ts";
import { Sessions } from "./sessions.ts";
import { syncTree, treeSizeBytes } from "./tree.ts";

export interface EmbeddedOptions {
  /** Absolute: `<project>/.replant/pg/<name>`. Holds the pointer, the lock and the generations. */
  readonly directory: string;
  /** The live database's name in messages, marks and over the socket. */
  readonly name: string;
  readonly files: Files;
  /** Absolute; holds the empty directory and the baselines. Several databases may share it. */
  readonly cacheDirectory: string;
  /** Absolute; holds the empty directory instead, so that all projects of a machine share one. Default: `cacheDirectory`. */
  readonly imageDirectory?: string;
  /** How people are told where it is. Default: `directory`. */
  readonly location?: string;
}

/**
 * Live as a PGlite data directory. Each database is a *generation*, a directory of its own that is never renamed while it can be
 * open and whose path is never used twice; live is what the pointer file names, so a swap is one atomic write.
 *
 * Opening a generation needs the lock of the directory: `connect` without `lock` takes it for the length of the session.
 * While a run holds it, instances stay open between sessions; they are stopped and made durable by `release` and `close`.
 */
export function openEmbedded(options: EmbeddedOptions): Engine {
  return new EmbeddedEngine(options);
}

class EmbeddedEngine implements Engine {
  readonly kind = "embedded";
  readonly database: string;
  readonly #options: EmbeddedOptions;
  readonly #generations: Shelf;
  readonly #baselines: Shelf;
  readonly #sessions: Sessions;
  readonly #lock: SharedLock;
  /** The run that holds the lock. */
  #holder: LockHolder | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.database = options.name;
    this.#generations = generationShelf(options.files, options.directory);
    this.#baselines = { files: options.files, path: options.cacheDirectory };
    this.#sessions = new Sessions(this.#generations);
    const { directory, files } = options;
    this.#lock = new SharedLock(
      (handOver) => lockDirectory({ directory, files, holder: passingHolder(), handOver }),
      () => this.#sessions.settleAll(),
    );
  }

  async probe(): Promise<TargetFacts> {
    const { directory, name, files } = this.#options;
    const pointer = await readPointer(files, directory);
    const mark = pointer.live === null ? null : await readMark(this.#generations, pointer.live);
    if (pointer.live !== null && mark === null) throw notThere("database", pointer.live);
    const own = (await this.#empty()).server;
    const path = mark === null ? null : dataDirectory(this.#generations, mark.name);
    if (path !== null) requireMajor(path, own);
    const server = mark?.server ?? own;
    return {
      engine: "embedded",
      database: name,
      live: pointer.live,
      location: this.#options.location ?? directory,
      local: true,
      systemIdentifier: pointer.systemIdentifier ?? "0",
      serverVersion: server.version,
      serverMajor: server.major,
      encoding: server.encoding,
      collation: server.collation,
      extensions: mark?.extensions ?? [],
      sizeBytes: path === null ? 0 : treeSizeBytes(path),
      sessions: path === null ? [] : await this.#sessionsIn(path),
      swapBlockers: [],
      environment: mark?.environment ?? null,
    };
  }

  async lock(holder: LockHolder): Promise<RunLock> {
    const { directory, files } = this.#options;
    if (this.#holder !== null) throw lockedBy(await readHolder(files, directory));
    const lock = await this.#lock.acquire({ handOver: true });
    this.#holder = holder;
    const release = async (): Promise<void> => {
      // Also false after `close`, and when this engine has been locked again since.
      if (this.#holder !== holder) return;
      this.#holder = null;
      await this.#lock.release();
    };
    try {
      await lock.rename(holder);
      await this.#sweep();
      await this.#refuseOthers("REPLANT_LOCKED");
    } catch (error) {
      await release();
      throw error;
    }
    return { assertHeld: async () => lock.assertHeld(), release };
  }

  async connect(database: DatabaseRef): Promise<SqlSession> {
    const port = await this.#acquireOrPort(database);
    if (port !== null) return servedSession(port, this.#options.name);
    let released = false;
    const release = async (): Promise<void> => {
      if (released) return;
      released = true;
      await this.#lock.release();
    };
    try {
      const session = await this.#open(database);
      return { ...session, close: () => session.close().finally(release) };
    } catch (error) {
      await release();
      throw error;
    }
  }

  catalog(session: SqlSession): Promise<Catalog> {
    return readCatalog(session);
  }

  async managed(): Promise<ManagedDatabase[]> {
    const { files, directory, name } = this.#options;
    const pointer = await readPointer(files, directory);
    const generations = (await listMarks(this.#generations))
      .filter((mark) => mark.id !== pointer.live?.id)
      .map((mark) => toManaged(mark, pointer));
    const baselines = (await listMarks(this.#baselines))
      .filter((mark) => (mark.complete && mark.role === "baseline") || (mark.live === name && mark.home === directory))
      .map((mark) => toManaged(mark, pointer));
    return [...generations, ...baselines].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  async sizeBytes(database: DatabaseRef): Promise<number> {
    for (const shelf of [this.#generations, this.#baselines]) {
      if ((await readMark(shelf, database)) !== null) return treeSizeBytes(dataDirectory(shelf, database.name));
    }
    return 0;
  }

  async create(database: NewDatabase): Promise<DatabaseRef> {
    const empty = await this.#empty();
    return copyGeneration(this.#generations, empty.path, newMark({ ...this.#home(), database, server: empty.server }));
  }

  async seal(building: DatabaseRef, fingerprint: string): Promise<DatabaseRef> {
    const mark = await this.#usable(building);
    await this.#sessions.settle(mark.id);
    const sealed: Mark = {
      ...((await readMark(this.#generations, building)) ?? mark),
      name: uniqueName(fingerprint.slice(0, 16)),
      complete: false,
      fingerprint,
    };
    await this.#options.files.makeDirectory(this.#baselines.path);
    await writeMark(this.#baselines, sealed);
    await moveTree(
      this.#options.files,
      dataDirectory(this.#generations, mark.name),
      dataDirectory(this.#baselines, sealed.name),
    );
    await writeMark(this.#baselines, { ...sealed, role: "baseline", complete: true });
    await removeMark(this.#generations, mark.name);
    return { name: sealed.name, id: sealed.id };
  }

  async clone(baseline: DatabaseRef, database: NewDatabase): Promise<DatabaseRef> {
    const source = await readMark(this.#baselines, baseline);
    if (source === null || !source.complete || source.role !== "baseline") throw notThere("baseline", baseline);
    const ref = await copyGeneration(this.#generations, dataDirectory(this.#baselines, source.name), {
      ...newMark({ ...this.#home(), database, server: source.server }),
      extensions: source.extensions,
    });
    // `drop` takes the seal away before the first file: what was copied is whole only if the seal is still there.
    if ((await readMark(this.#baselines, baseline))?.complete) return ref;
    await this.drop(ref);
    throw notThere("baseline", baseline);
  }

  async fence(live: DatabaseRef, _tables: readonly TableName[]): Promise<Fence> {
    await this.#refuseOthers("REPLANT_FENCE_BLOCKED");
    const session = await this.connect(live);
    try {
      await session.script("begin");
    } catch (error) {
      await session.close();
      throw error;
    }
    return { session, release: () => session.close() };
  }

  swap(request: SwapRequest): Promise<SwapResult> {
    return this.#lock.during((lock) => this.#swap(request, lock));
  }

  async liveRef(): Promise<DatabaseRef | null> {
    return (await readPointer(this.#options.files, this.#options.directory)).live;
  }

  async drop(database: DatabaseRef): Promise<void> {
    if ((await this.liveRef())?.id === database.id) throw new Error(`${database.name} is live`);
    for (const shelf of [this.#generations, this.#baselines]) {
      const mark = await readMark(shelf, database);
      if (mark === null) continue;
      await this.#sessions.settle(mark.id);
      await writeMark(shelf, { ...mark, complete: false });
      const path = dataDirectory(shelf, mark.name);
      await shelf.files.remove(path);
      await shelf.files.remove(`${path}.copy`);
      await removeMark(shelf, mark.name);
    }
  }

  async close(): Promise<void> {
    this.#holder = null;
    await this.#lock.releaseAll();
  }

  async #swap({ candidate, live, fence, run, at }: SwapRequest, lock: DirectoryLock): Promise<SwapResult> {
    const { files, directory } = this.#options;
    const properties = fence === null ? null : await readProperties(fence.session);
    await fence?.release();
    for (const ref of [candidate, live]) {
      if (ref !== null && this.#sessions.isBusy(ref.id)) throw new Error(`${ref.name} still has a session`);
    }
    const pointer = await readPointer(files, directory);
    if (pointer.live?.id !== live?.id) throw notSwapped("live is not the database that was inspected");
    const next = await this.#settledCandidate(candidate, properties);
    if (live !== null) await this.#sessions.settle(live.id);
    const there = new Set((await listMarks(this.#generations)).map((mark) => mark.id));
    const older = pointer.previous.filter((previous) => previous.id !== candidate.id && there.has(previous.id));
    await this.#refuseOthers("REPLANT_SWAP_FAILED");
    lock.assertHeld();
    await this.#point({
      format: 1,
      live: { name: next.name, id: next.id },
      previous: [...(live === null ? [] : [{ name: live.name, id: live.id, run, at }]), ...older],
      systemIdentifier: pointer.systemIdentifier ?? systemIdentifier(dataDirectory(this.#generations, next.name)),
    });
    return { previous: live, endedSessions: 0 };
  }

  async #open(database: DatabaseRef): Promise<SqlSession> {
    const { files, directory } = this.#options;
    const mark = await this.#usable(database);
    const pointer = await readPointer(files, directory);
    const isLive = pointer.live?.id === mark.id;
    if (isLive) await this.#refuseOthers("REPLANT_LOCKED");
    // What is or was live must outlast a power loss at any time; what is being built is thrown away after one.
    const durable = isLive || pointer.previous.some((previous) => previous.id === mark.id);
    return this.#sessions.open(mark, { durable, keep: () => this.#holder !== null });
  }

  /** What a killed process left of files that it was writing; nobody else writes here while we hold the lock. */
  async #sweep(): Promise<void> {
    const { files, directory } = this.#options;
    for (const path of [directory, this.#generations.path]) {
      const left = (await files.list(path)).filter(({ name }) => name.startsWith(".") && name.endsWith(".tmp"));
      for (const { name } of left) await files.remove(join(path, name));
    }
  }

  /** Processes of others, which is as much as can be seen of their sessions. */
  async #sessionsIn(path: string): Promise<ForeignSession[]> {
    const { directory, files } = this.#options;
    const holder = await readHolder(files, directory);
    return processesIn(path).map(({ pid, name }) => ({
      pid,
      application: pid === holder?.pid && holder.port !== null ? "replant serve" : name,
      user: "",
      state: "open",
      ageMs: 0,
    }));
  }

  /** Uses the lock, or says on which port another process serves this database. */
  async #acquireOrPort(database: DatabaseRef): Promise<number | null> {
    try {
      await this.#lock.acquire({ handOver: false });
      return null;
    } catch (error) {
      const { directory, files } = this.#options;
      const port = (await readHolder(files, directory))?.port ?? null;
      if (port === null || (await this.liveRef())?.id !== database.id) throw error;
      return port;
    }
  }

  /** A write that failed after its rename has happened all the same: what is said then must not sound certain. */
  async #point(pointer: Pointer): Promise<void> {
    const { files, directory } = this.#options;
    try {
      await writePointer(files, directory, pointer);
    } catch (error) {
      if ((await this.liveRef())?.id !== pointer.live?.id) throw error;
      throw new Error("the pointer was replaced, but perhaps not durably", { cause: error });
    }
  }

  #empty(): Promise<EmptyDirectory> {
    return emptyDirectory(this.#options.files, this.#options.imageDirectory ?? this.#options.cacheDirectory);
  }

  async #usable(ref: DatabaseRef): Promise<Mark> {
    return usableGeneration(this.#generations, ref, (await this.#empty()).server);
  }

  #home(): { live: string; home: string } {
    return { live: this.#options.name, home: this.#options.directory };
  }

  /** The candidate closed, durable, and with the database's own settings on it. */
  async #settledCandidate(candidate: DatabaseRef, properties: DatabaseProperties | null): Promise<Mark> {
    if (properties !== null) {
      const session = await this.#open(candidate);
      await applyProperties(session, properties);
      await session.close();
    }
    await this.#sessions.settle(candidate.id);
    const mark = await this.#usable(candidate);
    if (mark.volatileSince === null) return mark;
    syncTree(dataDirectory(this.#generations, mark.name));
    const settled = { ...mark, volatileSince: null };
    await writeMark(this.#generations, settled);
    return settled;
  }

  async #refuseOthers(code: Parameters<typeof refuseOthers>[2]): Promise<void> {
    refuseOthers(this.#generations, await this.liveRef(), code);
  }
}

function passingHolder(): HolderInfo {
  return {
    run: passingRun,
    command: "connect",
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    socket: null,
    port: null,
  };
}

function notSwapped(why: string): ReplantError {
  return new ReplantError("REPLANT_SWAP_FAILED", "the swap did not happen", {
    why,
    state: "live was not changed",
    hint: "run the command again",
  });
}
