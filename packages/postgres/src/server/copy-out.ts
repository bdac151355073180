import { sqlState } from "@replant/core";
import type { Client, Connection, Submittable } from "pg";
import { CopyMessages } from "./copy-messages.ts";

const ignore = (): void => {};

type Reader = (bytes: Buffer<ArrayBuffer>) => void;

/**
 * A `COPY … TO STDOUT` as node-postgres runs queries: it calls the `handle…` methods. While rows come, this reads the socket in
 * the place of the driver's parser, which would hold a row of any size as a whole and make garbage of every one.
 */
class CopyOutQuery implements Submittable {
  readonly #sql: string;
  readonly #messages = new CopyMessages((bytes) => this.#parse(bytes));
  #stream: Connection["stream"] | undefined;
  #parse: Reader = ignore;
  #rows: Uint8Array<ArrayBuffer> | null = null;
  #discarding = false;
  #error: Error | null = null;
  #wake = ignore;
  /** True as soon as the server has ended the statement, well or not. */
  over = false;

  constructor(sql: string) {
    this.#sql = sql;
  }

  submit(connection: Connection): void {
    this.#stream = connection.stream;
    const [parse = ignore] = this.#stream.listeners("data") as Reader[];
    this.#parse = parse;
    this.#stream.off("data", parse).on("data", this.#take);
    connection.query(this.#sql);
  }

  /** The next bytes of rows; null at the end. They are valid until the next are asked for; the socket is not read before that. */
  async next(): Promise<Uint8Array | null> {
    // Each read of a socket has memory of its own. Left to the garbage collector, it piles up to tens of megabytes.
    this.#rows?.buffer.transfer(0);
    this.#rows = null;
    await this.#until(() => this.#rows !== null || this.over);
    if (this.#rows === null && this.#error !== null) throw this.#error;
    return this.#rows;
  }

  /** Reads the rest of the answer, which would else stand before the answer to the next statement. */
  async discard(): Promise<void> {
    this.#discarding = true;
    await this.#until(() => this.over);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.over = true;
    this.#wake();
  }

  handleError(error: Error): void {
    this.over = true;
    this.#error = error;
    this.#wake();
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#stream?.resume();
      await promise;
    }
  }

  readonly #take: Reader = (bytes) => {
    const length = this.#messages.take(bytes);
    if (length > 0 && !this.#discarding) {
      this.#rows = bytes.subarray(0, length);
      this.#stream?.pause();
      this.#wake();
    }
    if (this.#messages.rest !== null) this.#leave(this.#messages.rest);
  };

  /** The driver goes on from here; it may begin the next statement at once. */
  #leave(rest: Buffer<ArrayBuffer>): void {
    this.#stream?.off("data", this.#take).on("data", this.#parse);
    this.#parse(rest);
    this.#stream?.resume();
  }
}

/**
 * Runs `COPY … TO STDOUT`; the socket is read only as fast as the consumer takes the chunks. When it returns early, `cancel` ends
 * the statement on the server and the rest is discarded, so that the session can be used again (an open transaction is aborted).
 */
export async function* copyOut(client: Client, sql: string, cancel: () => Promise<void>): AsyncGenerator<Uint8Array> {
  const query = client.query(new CopyOutQuery(sql));
  try {
    for (let rows = await query.next(); rows !== null; rows = await query.next()) yield rows;
  } finally {
    if (!query.over) {
      await Promise.all([query.discard(), cancel().catch(ignore)]);
      await absorbCancel(client);
    }
  }
}

/** A cancel request that comes after the COPY has ended would hit the next statement. This is the next statement. */
async function absorbCancel(client: Client): Promise<void> {
  await client.query("").catch((error: unknown) => {
    if (sqlState(error) !== "57014") throw error;
  });
}
