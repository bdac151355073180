import type { SqlSession } from "@replant/core";
import type { Inbox, InboxEntry, InboxTransaction } from "../ports/inbox.ts";
import { Arrivals } from "./arrivals.ts";
import type { Queue } from "./sessions.ts";
import { momentSql, msSql } from "./values.ts";

/** The inbox beside any apply, each call a transaction of its own. @param table quoted */
export function openInbox(queue: Queue, table: string): Inbox {
  const arrivals = new Arrivals(queue, table);
  return {
    receive: (delivery) => arrivals.receive(delivery),
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
