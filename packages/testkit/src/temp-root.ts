import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { access, chmod, constants, mkdtemp, realpath, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The directory in which a run keeps all that it writes: servers, workspaces, caches. */
export interface TempRoot {
  readonly directory: string;
  /** Ends what still runs in it, and removes it. */
  remove(): Promise<void>;
}

/** Much more than a run needs at its peak. */
const roomBytes = 6 * 2 ** 30;

/**
 * Makes the root, in memory where there is room (a data directory per test is much to write), otherwise in the temporary directory.
 * A process of its own removes it when this one was killed.
 */
export async function makeTempRoot(): Promise<TempRoot> {
  const directory = (await inMemory()) ?? (await mkdtemp(join(tmpdir(), prefix)));
  const path = await realpath(directory);
  // The servers' unprivileged user must get through; nobody else can list it.
  await chmod(path, 0o711);
  const watchdog = fork(join(import.meta.dirname, "temp-watchdog.ts"), [path], {
    // A group of its own: Ctrl-C in the terminal must reach it only through the end of this process.
    detached: true,
    stdio: "ignore",
    execArgv: [],
    cwd: "/",
  });
  watchdog.unref();
  watchdog.channel?.unref();
  return { directory: path, remove: () => ended(watchdog) };
}

const prefix = "replant-test-";

/** A directory in memory; null where there is none, where it is small, and where programs in it cannot be run. */
async function inMemory(): Promise<string | null> {
  const memory = "/dev/shm";
  try {
    await access(memory, constants.W_OK);
    const { bavail, bsize } = await statfs(memory);
    if (Math.min(bavail * bsize, process.availableMemory()) < roomBytes) return null;
  } catch {
    return null;
  }
  const directory = await mkdtemp(join(memory, prefix));
  const probe = join(directory, "probe");
  try {
    await writeFile(probe, "#!/bin/sh\n", { mode: 0o755 });
    await promisify(execFile)(probe);
    return directory;
  } catch {
    await rm(directory, { recursive: true, force: true });
    return null;
  }
}

async function ended(watchdog: ChildProcess): Promise<void> {
  if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
  watchdog.ref();
  const over = once(watchdog, "exit");
  if (watchdog.connected) watchdog.disconnect();
  await over;
}
