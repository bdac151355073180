import type { PGlite } from "@electric-sql/pglite";
import { isReplantError } from "@replant/core";
import { fsyncSync, mkdirSync, rmSync } from "node:fs";
import { Health, type EngineLoop } from "./health.ts";
import { loadPglite } from "./pglite.ts";

/** Where COPY reads and writes inside the instance; a directory of the host is mounted there. */
export const scratchMount = "/replant";

/** The same on every session, whatever the server's configuration says: the text of a value must not depend on it. */
const sessionSettings = [
  "DateStyle=ISO, MDY",
  "IntervalStyle=postgres",
  "TimeZone=UTC",
  "extra_float_digits=1",
  "bytea_output=hex",
  'search_path="$user", public',
];

/** Few and small WAL segments: a data directory is copied at every reset. Little shared memory: a start fills all of it. */
const sizeSettings = ["min_wal_size=4MB", "max_wal_size=64MB", "shared_buffers=32MB", "max_connections=10"];

export interface InstanceOptions {
  /** The data directory, an absolute path without symbolic links. */
  readonly directory: string;
  /** A directory of the host for COPY files; made here, emptied first, removed by `close`. */
  readonly scratch: string;
  /** True: a commit is on the disk before it is acknowledged. False: for what is thrown away after a power loss anyway. */
  readonly durable: boolean;
  /**
   * Names of extensions whose functions can be called, or all that PGlite brings along, so that CREATE EXTENSION finds them. All
   * of them cost a quarter of a second at the start.
   */
  readonly extensions: "all" | readonly string[];
  /** Arguments for initdb, which runs when the directory is empty. */
  readonly initdb?: readonly string[];
}

/** One running PGlite. */
export interface Instance extends InstanceOptions {
  readonly pg: PGlite;
  /** Why the engine stopped: a failed fsync, a full disk, a crash. From then on nothing that it says may be believed. */
  failure(): Error | null;
  /** Checkpoints and stops; the directory is clean afterwards. After a failure it only lets go of the files. */
  close(): Promise<void>;
}

/** The parts of the Emscripten module that are reached from here. */
interface EngineModule extends EngineLoop {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: { readonly nfd: number }) => number } };
  readonly FS: {
    readonly streams: readonly (object | null | undefined)[];
    mkdirTree(path: string): void;
    mount(type: unknown, options: { root: string }, path: string): void;
    close(stream: object): void;
  };
}

const openDirectories = new Set<string>();

/** `EIO` of the WASI numbering, which is what the engine's C library reads. */
const EIO = 29;

/**
 * Starts PGlite on a data directory with a file layer that can fsync: as shipped it starts with `-F`, and its file layer
 * has no fsync at all, so that a power loss destroys the directory.
 * PGlite does not lock: opening a directory twice in this process is a programming error and throws; other processes are
 * kept out by `lock.ts`.
 */
export async function openInstance(options: InstanceOptions): Promise<Instance> {
  const { directory, scratch } = options;
  if (openDirectories.has(directory)) throw new Error(`${directory} is open in this process already`);
  openDirectories.add(directory);
  const health = new Health();
  try {
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { mode: 0o700 });
    const pg = await startPglite(options, health);
    health.watch(pg.Module);
    return { ...options, pg, failure: () => health.failure, close: () => closeInstance(pg, options, health) };
  } catch (error) {
    letGo(options);
    if (isReplantError(error)) throw error;
    throw health.notStarted(directory, health.failure ?? error);
  }
}

async function startPglite(options: InstanceOptions, health: Health): Promise<PGlite> {
  const { directory, scratch, durable, extensions, initdb } = options;
  const { PGlite, NodeFS, bundles } = await loadPglite();
  const files = new NodeFS(directory);
  const init = files.init.bind(files);
  files.init = async (pg, emscripten) => {
    const { emscriptenOpts } = await init(pg, emscripten);
    const extended = (module: unknown): void => extendFileLayer(module as EngineModule, scratch, health);
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), extended] } };
  };
  return PGlite.create({
    dataDir: directory,
    fs: files,
    extensions: bundlesOf(bundles, extensions),
    startParams: startParams(PGlite.defaultStartParams, durable),
    onStderr: (line) => health.hear(line),
    ...(initdb === undefined ? {} : { initDbStartParams: [...initdb] }),
  });
}

/** The bundles of these extensions; a few bundles hold several, under a name of their own, and then all are taken. */
function bundlesOf(bundles: ReadonlyMap<string, URL>, wanted: "all" | readonly string[]): Record<string, URL> {
  const names = wanted === "all" ? null : wanted.filter((name) => name !== "plpgsql");
  const chosen = [...bundles].filter(([name]) => names === null || names.includes(name));
  return Object.fromEntries(names === null || chosen.length === names.length ? chosen : bundles);
}

function extendFileLayer(module: EngineModule, scratch: string, health: Health): void {
  module.NODEFS.stream_ops.fsync = ({ nfd }) => {
    try {
      fsyncSync(nfd);
      return 0;
    } catch (error) {
      // An exception would be swallowed on its way through the engine; the number makes the engine itself stop.
      health.fail(error);
      return EIO;
    }
  };
  module.FS.mkdirTree(scratchMount);
  module.FS.mount(module.NODEFS, { root: scratch }, scratchMount);
}

function startParams(defaults: readonly string[], durable: boolean): string[] {
  const settings = [...sessionSettings, ...sizeSettings, `fsync=${durable ? "on" : "off"}`, "wal_sync_method=fsync"];
  return [...defaults.filter((param) => param !== "-F"), ...settings.flatMap((setting) => ["-c", setting])];
}

async function closeInstance(pg: PGlite, options: InstanceOptions, health: Health): Promise<void> {
  try {
    if (health.failure === null) await pg.close();
    else closeFiles(pg.Module);
  } finally {
    letGo(options);
  }
}

/** A dead engine must not checkpoint: what it holds in memory may be what the disk refused. */
function closeFiles({ FS }: EngineModule): void {
  for (const stream of FS.streams) if (stream !== null && stream !== undefined) FS.close(stream);
}

function letGo({ directory, scratch }: InstanceOptions): void {
  openDirectories.delete(directory);
  rmSync(scratch, { recursive: true, force: true });
}
