import type { PGlite } from "@electric-sql/pglite";
import { fsyncSync, mkdirSync, rmSync } from "node:fs";
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

/** Few and small WAL segments: a data directory is copied at every reset. */
const sizeSettings = ["min_wal_size=4MB", "max_wal_size=64MB"];

export interface InstanceOptions {
  /** The data directory, an absolute path without symbolic links. */
  readonly directory: string;
  /** A directory of the host for COPY files; made here, emptied first, removed by `close`. */
  readonly scratch: string;
  /** True: a commit is on the disk before it is acknowledged. False: for what is thrown away after a power loss anyway. */
  readonly durable: boolean;
  /** Arguments for initdb, which runs when the directory is empty. */
  readonly initdb?: readonly string[];
}

/** One running PGlite. */
export interface Instance extends InstanceOptions {
  readonly pg: PGlite;
  /** The first fsync that failed. From then on nothing that this instance says may be believed. */
  syncFailure(): Error | null;
  /** Checkpoints and stops; the directory is clean afterwards. */
  close(): Promise<void>;
}

interface NodeFsModule {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: { readonly nfd: number }) => number } };
  readonly FS: {
    mkdirTree(path: string): void;
    mount(type: unknown, options: { root: string }, path: string): void;
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
  const { directory, scratch, durable } = options;
  if (openDirectories.has(directory)) throw new Error(`${directory} is open in this process already`);
  openDirectories.add(directory);
  let failure: Error | null = null;
  try {
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { mode: 0o700 });
    const { PGlite, NodeFS } = await loadPglite();
    const files = new NodeFS(directory);
    const init = files.init.bind(files);
    files.init = async (pg, emscripten) => {
      const result = await init(pg, emscripten);
      const extended = (module: unknown): void =>
        extendFileLayer(module as NodeFsModule, scratch, (error) => (failure ??= error));
      return {
        emscriptenOpts: { ...result.emscriptenOpts, preRun: [...(result.emscriptenOpts.preRun ?? []), extended] },
      };
    };
    const pg = await PGlite.create({
      dataDir: directory,
      fs: files,
      startParams: startParams(PGlite.defaultStartParams, durable),
      ...(options.initdb === undefined ? {} : { initDbStartParams: [...options.initdb] }),
    });
    return { ...options, pg, syncFailure: () => failure, close: () => closeInstance(pg, options) };
  } catch (error) {
    openDirectories.delete(directory);
    rmSync(scratch, { recursive: true, force: true });
    throw failure ?? error;
  }
}

function extendFileLayer(module: NodeFsModule, scratch: string, onFailure: (error: Error) => void): void {
  module.NODEFS.stream_ops.fsync = ({ nfd }) => {
    try {
      fsyncSync(nfd);
      return 0;
    } catch (error) {
      // An exception thrown through the engine would be swallowed on the way; an error number makes it stop.
      onFailure(error instanceof Error ? error : new Error(String(error)));
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

async function closeInstance(pg: PGlite, { directory, scratch }: InstanceOptions): Promise<void> {
  try {
    if (!pg.closed) await pg.close();
  } finally {
    openDirectories.delete(directory);
    rmSync(scratch, { recursive: true, force: true });
  }
}
