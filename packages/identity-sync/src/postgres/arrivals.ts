import type { SqlSession } from "@replant/core";
import { sqlState } from "@replant/core";
import type { Delivery } from "../ports/inbox.ts";
import type { Queue } from "./sessions.ts";
import { momentSql } from "./values.ts";

interface Arrival {
  readonly delivery: Delivery;
  readonly resolve: (isNew: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** As many as are stored in one statement; a body may have a megabyte. */
const togetherMax = 64;

/**
 * Stores messages as they come. Those that come while others are being stored go together, in one statement and one commit, which is
 * what bounds how many there can be in a second.
 */
export class Arrivals {
  readonly #queue: Queue;
  readonly #table: string;
  #waiting: Arrival[] = [];

  /** @param table quoted */
  constructor(queue: Queue, table: string) {
    this.#queue = queue;
    this.#table = table;
  }

  /** Commits. False: a message of this id is there already. */
  receive(delivery: Delivery): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, resolve, reject });
      if (this.#waiting.length === 1) void this.#storeWaiting();
    });
  }

  async #storeWaiting(): Promise<void> {
    let batch: Arrival[] = [];
    try {
      const stored = await this.#queue.run((session) => {
        // Done once more where the session has ended meanwhile: they are the same ones then.
        if (batch.length === 0) batch = this.#take();
        return this.#insert(session, batch);
      });
      settle(batch, stored);
    } catch (error) {
      if (batch.length > 1 && isOfOne(error)) await this.#storeAlone(batch);
      // Without its turn, none of them will have one.
      else for (const { reject } of batch.length > 0 ? batch : this.#waiting.splice(0)) reject(error);
    }
  }

  /** The first ones; who stays has a turn of its own coming. */
  #take(): Arrival[] {
    const batch = this.#waiting.splice(0, togetherMax);
    if (this.#waiting.length > 0) void this.#storeWaiting();
    return batch;
  }

  /** One that cannot be stored must not keep others out. */
  async #storeAlone(batch: readonly Arrival[]): Promise<void> {
    for (const arrival of batch) {
      await this.#queue
        .run((session) => this.#insert(session, [arrival]))
        .then((stored) => settle([arrival], stored), arrival.reject);
    }
  }

  /** The ids that were not there. */
  async #insert(session: SqlSession, batch: readonly Arrival[]): Promise<Set<string>> {
    const rows = batch.map(({ delivery: { id, body, verified, event } }) => {
      const subject = event.subject === null ? null : `${event.subject.kind} ${event.subject.id}`;
      return { id, type: event.type, subject, at: event.occurredAt, body, verified };
    });
    const stored = await session.query<{ id: string }>(
      `insert into ${this.#table} (event_id, event_type, subject, occurred_at, body, verified)
       select id, type, subject, ${momentSql("at")}, body, verified
         from json_to_recordset($1::text::json) as r (id text, type text, subject text, at float8, body text, verified boolean)
       on conflict (event_id) do nothing returning event_id as id`,
      [JSON.stringify(rows)],
    );
    return new Set(stored.map(({ id }) => id));
  }
}

/** Of two with one id, the first is the new one. */
function settle(batch: readonly Arrival[], stored: Set<string>): void {
  for (const { delivery, resolve } of batch) resolve(stored.delete(delivery.id));
}

/** Errors of values are of one message; all others would meet each. */
function isOfOne(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error) ?? "");
}
