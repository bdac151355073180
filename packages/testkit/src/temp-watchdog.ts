/**
 * The process that outlives a test run by a moment: when the channel it was forked with closes (the run ended, or was killed), it
 * kills whatever still works inside the run's directory and removes it.
 */
import { readdir, readlink, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Kills the processes whose working directory is `root` or below it. Only where /proc tells; elsewhere they end by themselves. */
async function killThoseIn(root: string): Promise<void> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    const directory = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (directory !== root && !directory.startsWith(`${root}/`)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has gone by itself.
    }
  }
}

async function clear(root: string): Promise<void> {
  // What is being killed may still write.
  for (let attempt = 0; attempt < 100; attempt += 1) {
    await killThoseIn(root);
    try {
      return await rm(root, { recursive: true, force: true });
    } catch {
      await sleep(50);
    }
  }
}

const [, , root = ""] = process.argv;
// The end of the run decides, not a signal that its whole group got.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.once("disconnect", () => void clear(root));
