import { ReplantError, isReplantError, type DatabaseRef } from "@replant/core";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type SharedDatabase } from "./client.ts";
import { emptyDirectory } from "./empty.ts";
import type { EmbeddedOptions } from "./engine.ts";
import { generationShelf, refuseOthers, usableGeneration } from "./generations.ts";
import { lockDirectory, type DirectoryLock } from "./lock.ts";
import type { Shelf } from "./marks.ts";
import { readPointer } from "./pointer.ts";
import { Sessions } from "./sessions.ts";
import { Gate } from "./gate.ts";

export type ServeEvent =
  | { readonly type: "serving"; readonly generation: string }
  /** Another run has the database; clients were disconnected, new ones wait. */
  | { readonly type: "yielded"; readonly run: string };

export interface ServeOptions extends EmbeddedOptions {
  /** This serve's own run id, for the lock. */
  readonly run: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly onEvent: (event: ServeEvent) => void;
}

export interface Serving {
  readonly port: number;
  /** Settles when serving ends: after `close`, or with the error that made it impossible to come back after a hand-over. */
  readonly ended: Promise<void>;
  /** Disconnects all clients, closes the database, releases the lock. May be called twice. */
  close(): Promise<void>;
}

const retryMs = 100;

/**
 * Serves live over TCP on the loopback interface, to whoever can reach it: no password, every user is the superuser. It holds the
 * lock of the directory, and lets go of it when another process asks (`askToYield`); when that one is done, or dead, it takes the
 * lock again and opens whatever is live then.
 * Limits: one session for all clients (a transaction makes the others wait; SET, LISTEN and temporary tables are shared), no
 * `COPY … FROM STDIN`, no other database than live.
 * @throws ReplantError REPLANT_LOCKED | REPLANT_CONNECTION_FAILED (nothing to serve, port in use) | REPLANT_EMBEDDED_VERSION
 */
export async function serveEmbedded(options: ServeOptions): Promise<Serving> {
  const server = new EmbeddedServer(options);
  await server.start();
  return server;
}

class EmbeddedServer implements Serving {
  readonly #options: ServeOptions;
  readonly #shelf: Shelf;
  readonly #sessions: Sessions;
  readonly #gate = new Gate();
  readonly #clients = new Map<Client, Socket>();
  readonly #leases = new Set<Socket>();
  readonly #tcp: Server;
  readonly #control: Server;
  readonly #socketPath: string;
  readonly #ended = Promise.withResolvers<void>();
  readonly ended = this.#ended.promise;
  readonly #stopping = new AbortController();
  #lock: DirectoryLock | null = null;
  #live: DatabaseRef | null = null;
  #change: Promise<void> = Promise.resolve();
  #clientCount = 0;
  #returning = false;
  #port = 0;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#shelf = generationShelf(options.files, options.directory);
    this.#sessions = new Sessions(this.#shelf);
    this.#socketPath = controlPath(options.directory);
    this.#tcp = createServer((socket) => this.#welcome(socket));
    this.#control = createServer((socket) => this.#hear(socket));
    // Told to whoever waits for it; without a waiter it must not end the process.
    this.ended.catch(() => undefined);
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    try {
      // The port is part of what the lock tells; clients that come at once wait at the gate.
      await listening(this.#tcp, { port: this.#options.port, host: "127.0.0.1" });
      this.#port = (this.#tcp.address() as AddressInfo).port;
      await this.#exclusively(() => this.#open());
      rmSync(this.#socketPath, { force: true });
      await listening(this.#control, { path: this.#socketPath });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#exclusively(async () => {
      this.#tcp.close();
      this.#control.close();
      for (const lease of this.#leases) lease.destroy();
      await this.#letGo();
      for (const socket of this.#clients.values()) socket.destroy();
      rmSync(this.#socketPath, { force: true });
      if (dirname(this.#socketPath) !== this.#options.directory)
        rmSync(dirname(this.#socketPath), { recursive: true, force: true });
    });
    this.#ended.resolve();
  }

  /** Opening, yielding, returning and closing never overlap. */
  #exclusively(change: () => Promise<void>): Promise<void> {
    const done = this.#change.then(change);
    this.#change = done.catch(() => undefined);
    return done;
  }

  async #open(): Promise<void> {
    const { directory, files, run, onEvent } = this.#options;
    const since = new Date().toISOString();
    const holder = {
      run,
      command: "serve",
      pid: process.pid,
      host: hostname(),
      since,
      socket: this.#socketPath,
      port: this.port,
    };
    const lock = await lockDirectory({ directory, files, holder, handOver: false });
    try {
      const { live } = await readPointer(files, directory);
      if (live === null) throw nothingToServe(this.#options.name);
      const mark = await usableGeneration(
        this.#shelf,
        live,
        (await emptyDirectory(files, this.#options.imageDirectory ?? this.#options.cacheDirectory)).server,
      );
      refuseOthers(this.#shelf, live, "REPLANT_LOCKED");
      const instance = await this.#sessions.instance(mark);
      this.#lock = lock;
      this.#live = live;
      this.#gate.open(instance, mark.server);
      onEvent({ type: "serving", generation: live.name });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Ends all clients, closes the database and releases the lock, in that order. */
  async #letGo(): Promise<void> {
    this.#gate.close();
    for (const client of this.#clients.keys()) client.disconnect();
    await this.#sessions.settleAll();
    this.#live = null;
    const lock = this.#lock;
    this.#lock = null;
    await lock?.release();
  }

  #welcome(socket: Socket): void {
    const shared: SharedDatabase = {
      turn: () => this.#gate.turn(),
      parameters: () => this.#gate.parameters(),
      accepts: (database) => [this.#options.name, "postgres", this.#live?.name].includes(database),
    };
    this.#clientCount += 1;
    const client: Client = new Client(socket, shared, {
      id: this.#clientCount,
      onEnd: () => {
        this.#clients.delete(client);
        if (this.#clients.size === 0) this.#gate.forget().catch(() => undefined);
      },
    });
    this.#clients.set(client, socket);
  }

  /** One line asks for the database; the connection is then the lease on it. */
  #hear(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    const lines = createInterface({ input: socket });
    lines.once("line", (line) => {
      const run = /^yield (\S{1,100})$/.exec(line)?.[1];
      if (run === undefined) {
        socket.destroy();
        return;
      }
      this.#leases.add(socket);
      void this.#exclusively(() => this.#yieldTo(socket, run)).catch((error: unknown) => this.#fail(error));
    });
    lines.on("error", () => undefined);
    socket.once("close", () => {
      lines.close();
      this.#leases.delete(socket);
      void this.#return();
    });
  }

  async #yieldTo(socket: Socket, run: string): Promise<void> {
    // Who asked may be gone again.
    if (!this.#leases.has(socket)) return;
    const held = this.#lock !== null;
    await this.#letGo();
    if (held) this.#options.onEvent({ type: "yielded", run });
    socket.write("yielded\n");
    void this.#return();
  }

  /** Tries until the lock is free and nobody has a lease. */
  async #return(): Promise<void> {
    if (this.#returning) return;
    this.#returning = true;
    try {
      while (this.#leases.size === 0 && !this.#stopping.signal.aborted && this.#lock === null) {
        if (await this.#tryOpen()) return;
        await sleep(retryMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    } finally {
      this.#returning = false;
    }
  }

  async #tryOpen(): Promise<boolean> {
    try {
      await this.#exclusively(async () => {
        if (this.#leases.size === 0 && this.#lock === null && !this.#stopping.signal.aborted) await this.#open();
      });
      return true;
    } catch (error) {
      if (isReplantError(error) && error.code === "REPLANT_LOCKED") return false;
      this.#fail(error);
      return true;
    }
  }

  #fail(error: unknown): void {
    this.#ended.reject(error);
    void this.close();
  }
}

/** A socket's path has room for about a hundred bytes; a deep project gets one in the directory for temporary files. */
function controlPath(directory: string): string {
  const own = join(directory, "serve.sock");
  return Buffer.byteLength(own) <= 100 ? own : join(mkdtempSync(join(tmpdir(), "replant-")), "serve.sock");
}

function listening(server: Server, where: { port: number; host: string } | { path: string }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EADDRINUSE" || !("port" in where)) reject(cause);
    else
      reject(
        new ReplantError("REPLANT_CONNECTION_FAILED", `port ${where.port} is in use`, {
          state: "nothing was changed",
          hint: "choose another one with --port, or stop the program that listens there",
          cause,
        }),
      );
  });
  server.listen(where, resolve);
  return promise;
}

function nothingToServe(name: string): ReplantError {
  return new ReplantError("REPLANT_CONNECTION_FAILED", `the embedded database "${name}" does not exist yet`, {
    state: "nothing was changed",
    hint: "replant reset builds it",
  });
}
