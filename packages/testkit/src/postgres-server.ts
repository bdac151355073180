import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { postgresBinaries, type PostgresMajor } from "./postgres-binaries.ts";
import type { WatchdogCommand, WatchdogOptions, WatchdogReply } from "./postgres-watchdog.ts";

/** How a server differs from the usual one. */
export interface PostgresServerOptions {
  /** Durable commits; off unless asked for, because it only costs time where the power does not fail. */
  readonly fsync?: boolean;
  /** Further settings, as in postgresql.conf; they win over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A real PostgreSQL server of its own, with the superuser `postgres` and no passwords, on 127.0.0.1 alone. */
export interface PostgresServer {
  readonly major: PostgresMajor;
  /** Stays the same over `restart`. */
  readonly port: number;
  readonly host: string;
  /** The URL of a database; without arguments the maintenance database as superuser. */
  url(database?: string, user?: string): string;
  /** Immediate shutdown; removes the data. A second call does nothing. */
  stop(): Promise<void>;
  /** SIGKILL of every process of the server, as if the machine had stopped; the data stays for `restart`. */
  kill(): Promise<void>;
  /** Starts the server again after `kill`, or stops it in order first; returns when it answers. */
  restart(): Promise<void>;
}

/**
 * Starts a server on a fresh data directory and returns when it accepts connections (about two seconds).
 * It ends with this process at the latest, however this process ends.
 * @throws Error with the end of the server's log when it does not start
 */
export async function startPostgres(
  major: PostgresMajor,
  options: PostgresServerOptions = {},
): Promise<PostgresServer> {
  const durable = options.fsync ?? false;
  const watchdog = startWatchdog({
    name: `replant-pg${major}`,
    binaries: await postgresBinaries(major),
    settings: {
      listen_addresses: "127.0.0.1",
      max_connections: "200",
      shared_buffers: "32MB",
      // In the data directory, so that a killed server leaves nothing anywhere else.
      dynamic_shared_memory_type: "mmap",
      ...(durable ? {} : { fsync: "off", full_page_writes: "off" }),
      ...options.settings,
    },
  });
  const host = "127.0.0.1";
  const port = await watchdog.request("init").catch(async (error: unknown) => {
    await watchdog.close();
    throw error;
  });
  return {
    major,
    port,
    host,
    url: (database = "postgres", user = "postgres") =>
      `postgresql://${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(database)}`,
    stop: () => watchdog.close(),
    kill: async () => void (await watchdog.request("kill")),
    restart: async () => void (await watchdog.request("restart")),
  };
}

interface Watchdog {
  /** The server's port, once the command is done. */
  request(command: WatchdogCommand): Promise<number>;
  close(): Promise<void>;
}

function startWatchdog(options: WatchdogOptions): Watchdog {
  const child = fork(join(import.meta.dirname, "postgres-watchdog.ts"), [JSON.stringify(options)], {
    // A group of its own: Ctrl-C in the terminal must reach it only through the end of this process.
    detached: true,
    stdio: "ignore",
    execArgv: [],
    env: { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"] },
  });
  let last: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;
  const request = (command: WatchdogCommand): Promise<number> => {
    const reply = last.then(() => ask(child, command));
    last = reply.catch(() => {});
    return reply;
  };
  const close = async (): Promise<void> => {
    await request("stop");
    if (child.connected) child.disconnect();
  };
  return { request, close: () => (closed ??= close()) };
}

/** The channel keeps this process alive only while an answer is due: a forgotten server ends with its process. */
async function ask(child: ChildProcess, command: WatchdogCommand): Promise<number> {
  child.ref();
  child.channel?.ref();
  try {
    const reply = await new Promise<WatchdogReply>((resolve, reject) => {
      child.once("message", resolve as (message: unknown) => void);
      child.once("exit", () => reject(new Error(`the watchdog of the server ended during ${command}`)));
      child.send(command, (error) => error && reject(error));
    });
    if ("error" in reply) throw new Error(reply.error);
    return reply.port;
  } finally {
    child.removeAllListeners("message");
    child.removeAllListeners("exit");
    child.unref();
    child.channel?.unref();
  }
}
