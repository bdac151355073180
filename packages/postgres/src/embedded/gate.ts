import type { EngineFacts } from "./empty.ts";
import type { Instance } from "./instance.ts";
import { message } from "./wire.ts";

/** A client's time alone with the instance. */
export interface Turn {
  /** Runs messages; the answer goes to `onData`. Returns whether a transaction is open afterwards. Throws once the gate was closed. */
  run(messages: Buffer, onData: (bytes: Buffer) => void): Promise<boolean>;
  /** Lets the next one in. May be called twice. */
  release(): void;
}

/**
 * The way of many clients to one instance, one at a time and in the order of their asking. While it is closed, those who ask for a
 * turn wait; those who had one can do nothing more with it.
 */
export class Gate {
  #instance: Instance | null = null;
  #server: EngineFacts | null = null;
  #queue: Promise<void> = Promise.resolve();
  #opened = Promise.withResolvers<void>();
  #round = 0;

  open(instance: Instance, server: EngineFacts): void {
    this.#instance = instance;
    this.#server = server;
    this.#opened.resolve();
  }

  /** Turns that are out end with it, so that nobody waits for their release. */
  close(): void {
    if (this.#instance === null) return;
    this.#instance = null;
    this.#round += 1;
    this.#queue = Promise.resolve();
    this.#opened = Promise.withResolvers<void>();
  }

  async turn(): Promise<Turn> {
    for (;;) {
      await this.#opened.promise;
      const round = this.#round;
      const before = this.#queue;
      const { promise, resolve: release } = Promise.withResolvers<void>();
      this.#queue = before.then(() => promise);
      await before;
      const instance = this.#instance;
      if (round === this.#round && instance !== null) {
        const isOver = (): boolean => round !== this.#round;
        return { run: (messages, onData) => runMessages(instance, messages, { onData, isOver }), release };
      }
      release();
    }
  }

  /** What PostgreSQL reports to a client that connects. */
  async parameters(): Promise<Readonly<Record<string, string>>> {
    await this.#opened.promise;
    return {
      server_version: this.#server?.version ?? "",
      server_encoding: this.#server?.encoding ?? "",
      client_encoding: "UTF8",
      DateStyle: "ISO, MDY",
      IntervalStyle: "postgres",
      TimeZone: "UTC",
      integer_datetimes: "on",
      standard_conforming_strings: "on",
      is_superuser: "on",
      session_authorization: "postgres",
    };
  }

  /** Takes back what clients have SET, once the last of them is gone. */
  async forget(): Promise<void> {
    const turn = await this.turn();
    try {
      await turn.run(message("Q", "discard all\0"), () => undefined);
    } finally {
      turn.release();
    }
  }
}

async function runMessages(
  instance: Instance,
  messages: Buffer,
  { onData, isOver }: { readonly onData: (bytes: Buffer) => void; readonly isOver: () => boolean },
): Promise<boolean> {
  if (isOver()) throw new Error("the database was closed");
  // The bytes are a view of the engine's memory, which it writes to again.
  const { pg } = instance;
  await pg.runExclusive(() => pg.execProtocolRawStream(messages, { onRawData: (bytes) => onData(Buffer.from(bytes)) }));
  const failure = instance.failure();
  if (failure !== null) throw failure;
  return pg.isInTransaction();
}
