import type { SqlSession } from "@replant/core";
import { parseMark } from "./marks.ts";

/**
 * When the database of this session became live, by a reset, a restore or an undo: ISO 8601, UTC. Null when it has never been
 * swapped, or when nobody knows any more, because what was live before has been cleaned up.
 */
export async function lastSwapAt(session: Pick<SqlSession, "query">): Promise<string | null> {
  const rows = await session.query<{ comment: string; live: string }>(
    `select description as comment, current_database()::text as live from pg_shdescription
     where classoid = 'pg_database'::regclass and description like '{"replant":1,%'`,
  );
  const swaps = rows.flatMap(({ comment, live }) => {
    const mark = parseMark(comment);
    return mark?.role === "previous" && mark.live === live ? [mark.createdAt] : [];
  });
  return swaps.toSorted((a, b) => (a < b ? -1 : 1)).at(-1) ?? null;
}
