/**
 * One session of one database. Not safe for concurrent calls: await each before the next.
 * Errors of the server are thrown as they are (a five-character `code`, `message`, `detail`, `position`).
 */
export interface SqlSession {
  readonly database: string;
  /**
   * One statement with `$1` parameters. Rows in the driver's JavaScript values; cast to text in SQL where exactness matters.
   * `repeated`: this text comes often in this session, and no table that it names changes meanwhile, so that the server may keep
   * its plan.
   */
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
    options?: { readonly repeated?: boolean },
  ): Promise<Row[]>;
  /** One simple-query message: many statements, one implicit transaction unless the text says otherwise. */
  script(sql: string): Promise<void>;
  /** Runs `COPY … TO STDOUT` and streams the server's bytes, each piece valid until the next one is asked for; the consumer must read to the end or return. */
  copyOut(sql: string): AsyncIterable<Uint8Array>;
  /** Runs `COPY … FROM STDIN` with these bytes; a piece is not used any more when the next one is asked for. Returns the rows that the server counted. */
  copyIn(sql: string, bytes: AsyncIterable<Uint8Array>): Promise<number>;
  /** May be called twice. An open transaction is rolled back by the server. */
  close(): Promise<void>;
}
