import type { Client, Connection, Submittable } from "pg";

const copyDataCode = 0x64;
const copyDoneMessage = Buffer.from([0x63, 0, 0, 0, 4]);

/**
 * A `COPY … FROM STDIN` as node-postgres runs queries: it calls the `handle…` methods. Whatever the server answers, and whenever,
 * ends in `result`; nothing is written to the connection after that.
 */
class CopyInQuery implements Submittable {
  readonly #sql: string;
  readonly #ready = Promise.withResolvers<Connection>();
  readonly #result = Promise.withResolvers<number>();
  #rows = 0;
  /** True as soon as the server has ended the statement, well or not. */
  over = false;

  constructor(sql: string) {
    this.#sql = sql;
    this.#ready.promise.catch(() => {});
    this.#result.promise.catch(() => {});
  }

  /** The connection, once the server waits for rows. */
  get ready(): Promise<Connection> {
    return this.#ready.promise;
  }

  /** The rows that the server counted. */
  get result(): Promise<number> {
    return this.#result.promise;
  }

  submit(connection: Connection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: Connection): void {
    this.#ready.resolve(connection);
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.over = true;
    this.#ready.reject(new Error(`not a COPY FROM STDIN: ${this.#sql}`));
    this.#result.resolve(this.#rows);
  }

  handleError(error: Error): void {
    this.over = true;
    this.#ready.reject(error);
    this.#result.reject(error);
  }
}

/**
 * Runs `COPY … FROM STDIN`; returns the rows that the server counted. When `bytes` throws, the server discards the statement and
 * that error is thrown. When the server refuses a row, `bytes` is not read any further. The session can be used again in both cases.
 */
export async function copyIn(client: Client, sql: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const query = client.query(new CopyInQuery(sql));
  const { stream } = await query.ready;
  try {
    for await (const chunk of bytes) {
      if (query.over) break;
      await Promise.race([writeChunk(stream, chunk), query.result]);
    }
  } catch (error) {
    if (!query.over) stream.write(failMessage());
    // The server answers with an error of its own, which says only that we ended the statement.
    await query.result.catch(() => {});
    throw error;
  }
  if (!query.over) stream.write(copyDoneMessage);
  return query.result;
}

/** Resolves when the system has the bytes, so that the chunk may be used for others; also when the connection has ended. */
function writeChunk(stream: Connection["stream"], chunk: Uint8Array): Promise<void> {
  const header = Buffer.allocUnsafe(5);
  header.writeUInt8(copyDataCode, 0);
  header.writeUInt32BE(chunk.length + 4, 1);
  return new Promise((resolve) => {
    stream.cork();
    stream.write(header);
    stream.write(chunk, () => resolve());
    stream.uncork();
  });
}

function failMessage(): Buffer {
  const reason = Buffer.from("the source of the rows failed\0");
  const message = Buffer.allocUnsafe(5 + reason.length);
  message.writeUInt8(0x66, 0);
  message.writeUInt32BE(reason.length + 4, 1);
  reason.copy(message, 5);
  return message;
}
