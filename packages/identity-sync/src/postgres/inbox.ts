import type { SqlSession } from "@replant/core";
import type { Delivery, Inbox, InboxEntry, InboxTransaction } from "../ports/inbox.ts";
import type { Queue } from "./sessions.ts";
import { momentSql, msSql } from "./values.ts";

/** The inbox beside any apply, each call a transaction of its own. @param table quoted */
export function openInbox(queue: Queue, table: string): Inbox {
  const receiver = new Receiver(queue, table);
  return {
    receive: (delivery) => receiver.receive(delivery),
    counts: () =>
      queue.run(async (session) => {
        const rows = await session.query<{ status: string; count: number; oldest: number }>(
          `select status, count(*)::int as count, ${msSql("min(created_at)")} as oldest
             from ${table} where status in ('pending', 'parked', 'dead') group by status`,
        );
        const of = (status: string): number => rows.find((row) => row.status === status)?.count ?? 0;
        const oldestPendingAt = rows.find(({ status }) => status === "pending")?.oldest ?? null;
        return { pending: of("pending"), parked: of("parked"), dead: of("dead"), oldestPendingAt };
      }),
    requeue: (which) =>
      queue.run(async (session) => {
        const [condition, value] =
          which === "dead"
            ? (["status = $1", "dead"] as const)
            : "id" in which
              ? (["event_id = $1", which.id] as const)
              : ([`created_at >= ${momentSql("$1::float8")}`, which.since] as const);
        const rows = await session.query(
          `update ${table} set status = 'pending', error = null where ${condition} and status <> 'pending' returning 1`,
          [value],
        );
        return rows.length;
      }),
  };
}

interface Waiting {
  readonly delivery: Delivery;
  readonly resolve: (isNew: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Messages in one statement. */
const receiveMax = 100;

/** What comes in while a commit is under way goes into the next one together: a commit costs the same for one and for many. */
class Receiver {
  readonly #queue: Queue;
  readonly #sql: string;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(queue: Queue, table: string) {
    this.#queue = queue;
    this.#sql = `insert into ${table} (event_id, event_type, subject, occurred_at, body, verified)
      select r.id, r.type, r.subject, ${momentSql("r.at")}, r.body, r.verified
        from jsonb_to_recordset($1::text::jsonb) as r (id text, type text, subject text, at float8, body text, verified boolean)
          on conflict (event_id) do nothing returning event_id as id`;
  }

  receive(delivery: Delivery): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, receiveMax);
      try {
        const stored = await this.#store(batch.map(({ delivery }) => delivery));
        // Of one that came twice at once the first is new.
        for (const { delivery, resolve } of batch) resolve(stored.delete(delivery.id));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  /** Returns the ids that were not there. */
  async #store(deliveries: readonly Delivery[]): Promise<Set<string>> {
    const records = deliveries.map(({ id, body, verified, event: { type, subject, occurredAt } }) => ({
      id,
      type,
      subject: subject === null ? null : `${subject.kind} ${subject.id}`,
      at: occurredAt,
      body,
      verified,
    }));
    const rows = await this.#queue.run((session) =>
      session.query<{ id: string }>(this.#sql, [JSON.stringify(records)]),
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/** The inbox within an apply. */
export function inboxOf(session: SqlSession, table: string): Pick<InboxTransaction, "pending" | "settle"> {
  return {
    pending: (limit) =>
      session.query<InboxEntry & Record<string, unknown>>(
        `select event_id as id, body, attempts from ${table} where status = 'pending'
          order by number limit $1::int for update skip locked`,
        [limit],
      ),
    async settle(settled) {
      if (settled.length === 0) return;
      await session.query(
        `update ${table} t set status = r.status, error = r.error, attempts = t.attempts + 1, processed_at = now()
           from jsonb_to_recordset($1::text::jsonb) as r (id text, status text, error text) where t.event_id = r.id`,
        [JSON.stringify(settled)],
      );
    },
  };
}
