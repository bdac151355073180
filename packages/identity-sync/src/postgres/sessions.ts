import type { SqlSession } from "@replant/core";

/** One session, whose users wait for each other. It is opened when it is first needed, and again after its connection is lost. */
export class Queue {
  readonly #connect: () => Promise<SqlSession>;
  readonly #repeatable: boolean;
  #session: SqlSession | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param repeatable the work may be done twice: where its session has ended meanwhile, it is done once more on a new one */
  constructor(connect: () => Promise<SqlSession>, { repeatable = false } = {}) {
    this.#connect = connect;
    this.#repeatable = repeatable;
  }

  run<Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value> {
    const result = this.#last.then(() => this.#attempt(work));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Ends the session once nobody uses it. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#session?.close();
    this.#session = null;
  }

  async #attempt<Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value> {
    if (this.#closed) throw new Error("the identity store is closed");
    const known = this.#session;
    const session = (this.#session ??= await this.#connect());
    try {
      return await work(repeating(session));
    } catch (error) {
      const ended = await session.script("rollback").then(
        () => false,
        () => this.#forget(session).then(() => true),
      );
      if (!ended || known === null || !this.#repeatable) throw error;
      return this.#attempt(work);
    }
  }

  async #forget(session: SqlSession): Promise<void> {
    this.#session = null;
    await session.close().catch(() => undefined);
  }
}

/** All statements of a store come again and again with the same text: planning them takes as long as running them. */
function repeating(session: SqlSession): SqlSession {
  return {
    database: session.database,
    query: (sql, params) => session.query(sql, params, { repeated: true }),
    script: (sql) => session.script(sql),
    copyOut: (sql) => session.copyOut(sql),
    copyIn: (sql, bytes) => session.copyIn(sql, bytes),
    close: () => session.close(),
  };
}
