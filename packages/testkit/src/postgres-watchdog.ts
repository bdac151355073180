/**
 * The process between a test run and one PostgreSQL server: it owns the server and its directory, does what it is
 * told over the channel it was forked with, and when that channel closes (the run ended, or was killed) it stops the
 * server and removes the directory. Nothing but SIGKILL of this very process can leave a server behind.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { PostgresBinaries } from "./postgres-binaries.ts";

/** What the watchdog is told when it is forked, as JSON in its first argument. */
export interface WatchdogOptions {
  /** Begins the name of the server's directory. */
  readonly name: string;
  readonly binaries: PostgresBinaries;
  readonly settings: Readonly<Record<string, string>>;
}

/** `init` once and first, `kill` = SIGKILL of every process of the server, `restart` also after `kill`, `stop` once and last. */
export type WatchdogCommand = "init" | "kill" | "restart" | "stop";

/** The answer to one command: commands are answered one by one, in their order. */
export type WatchdogReply = { readonly port: number } | { readonly error: string };

interface Server {
  readonly options: WatchdogOptions;
  directory: string;
  port: number;
  process: ChildProcess | undefined;
}

const startTimeoutMs = 90_000;
/** The parent's variables stay out, so that PGPORT, TZ or a locale of the machine change nothing. */
const environment = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

async function initialise(server: Server): Promise<void> {
  const { name, binaries } = server.options;
  server.directory = await mkdtemp(join(tmpdir(), `${name}-`));
  if (binaries.owner) await chown(server.directory, binaries.owner.uid, binaries.owner.gid);
  const data = join(server.directory, "data");
  const flags = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(binaries.initdb, [`--pgdata=${data}`, ...flags], {
    cwd: server.directory,
    env: environment,
    ...binaries.owner,
  });
  for (let attempt = 1; ; attempt += 1) {
    server.port = await freePort();
    try {
      return await start(server);
    } catch (error) {
      // Another process may have taken the port since it was tried.
      if (attempt === 5 || !String(error).includes("could not bind")) throw error;
    }
  }
}

/** Starts the server on its port and waits until it accepts connections, crash recovery included. */
async function start(server: Server): Promise<void> {
  const { binaries, settings } = server.options;
  const data = join(server.directory, "data");
  const all = { port: `${server.port}`, unix_socket_directories: server.directory, ...settings };
  const flags = Object.entries(all).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  const logPath = join(server.directory, "log");
  const log = await open(logPath, "w");
  const postmaster = spawn(binaries.postgres, ["-D", data, ...flags], {
    cwd: server.directory,
    env: environment,
    stdio: ["ignore", log.fd, log.fd],
    ...binaries.owner,
  });
  server.process = postmaster;
  await once(postmaster, "spawn");
  await log.close();
  const deadline = Date.now() + startTimeoutMs;
  while (!(await isReady(data, postmaster.pid))) {
    if (hasEnded(postmaster) || Date.now() > deadline) {
      await killAll(server);
      throw new Error(`postgres did not start: ${(await readFile(logPath, "utf8")).slice(-4000)}`);
    }
    await sleep(10);
  }
}

/** What `pg_ctl --wait` reads: first the postmaster's pid, and in the eighth line its state. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  return lines[0] === `${pid}` && (lines[7] ?? "").startsWith("ready");
}

/** A free port below the range that outgoing connections take theirs from, so that it is still free at a restart. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** SIGQUIT is PostgreSQL's immediate shutdown, SIGINT its fast one. */
async function shutDown(server: Server, signal: "SIGQUIT" | "SIGINT"): Promise<void> {
  const postmaster = server.process;
  if (!postmaster || hasEnded(postmaster)) return;
  const ended = once(postmaster, "exit");
  postmaster.kill(signal);
  await Promise.race([ended, sleep(20_000, undefined, { ref: false })]);
  if (!hasEnded(postmaster)) await killAll(server);
}

/** Every backend leads a session of its own, so a signal to the group would miss them: they are found by their parent. */
async function killAll(server: Server): Promise<void> {
  const postmaster = server.process;
  if (!postmaster?.pid || hasEnded(postmaster)) return;
  const ended = once(postmaster, "exit");
  // Stopped first, it cannot fork another backend while they are being counted.
  postmaster.kill("SIGSTOP");
  const backends = (await liveProcesses()).filter(({ parent }) => parent === postmaster.pid).map(({ pid }) => pid);
  for (const pid of backends) process.kill(pid, "SIGKILL");
  postmaster.kill("SIGKILL");
  await ended;
  while ((await liveProcesses()).some(({ pid }) => backends.includes(pid))) await sleep(5);
}

/** Every process that is not a zombie, from /proc where there is one (small images have no `ps`). */
async function liveProcesses(): Promise<{ pid: number; parent: number }[]> {
  const lines =
    process.platform === "linux"
      ? await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(readProcess))
      : (await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,state="])).stdout.split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid, , state]) => pid && state && !state.startsWith("Z"))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}

/** `pid ppid state`, or nothing when the process has gone; the name in parentheses may hold anything. */
async function readProcess(pid: string): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state && parent ? `${pid} ${parent} ${state}` : "";
}

async function remove(server: Server): Promise<void> {
  await shutDown(server, "SIGQUIT");
  if (server.directory) await rm(server.directory, { recursive: true, force: true, maxRetries: 5 });
}

async function obey(server: Server, command: WatchdogCommand): Promise<void> {
  if (command === "init") return initialise(server);
  if (command === "kill") return killAll(server);
  if (command === "stop") return remove(server);
  await shutDown(server, "SIGINT");
  return start(server);
}

function main(): void {
  const options = JSON.parse(process.argv[2] ?? "") as WatchdogOptions;
  const server: Server = { options, directory: "", port: 0, process: undefined };
  let last: Promise<unknown> = Promise.resolve();
  process.on("message", (command: WatchdogCommand) => {
    last = last
      .then(() => obey(server, command))
      .then(
        (): WatchdogReply => ({ port: server.port }),
        (error: unknown): WatchdogReply => ({ error: String(error) }),
      )
      .then((reply) => process.connected && process.send?.(reply, () => {}));
  });
  const leave = (): void => {
    // A command under way is given the time to end, but nothing keeps the server alive.
    void Promise.race([last, sleep(10_000)])
      .then(() => remove(server))
      // A command that hangs would keep this process alive.
      // oxlint-disable-next-line unicorn/no-process-exit
      .finally(() => process.exit());
  };
  process.once("disconnect", leave);
  process.once("SIGTERM", leave);
  process.once("SIGINT", leave);
}

if (process.argv[1] === import.meta.filename) main();
