import type { CarryPlan, CarryTable, SqlSession } from "@replant/core";
import { sameTable } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import { feedingSequences, type FeedingSequence } from "../sequences.ts";

/** Tables with rows, and how far the sequences of these had come elsewhere. */
export interface Numbered {
  readonly tables: readonly Pick<CarryTable, "table" | "source" | "columns">[];
  readonly sequences: CarryPlan["sequences"];
}

/**
 * Sets every sequence that feeds a carried table past the values in its column and past where it stood in the backup, so that ids
 * of rows which are gone are not given again. Only what the sequence itself could give counts; one that counts down goes below.
 * A sequence is never set back.
 */
export async function advanceSequences(session: SqlSession, plan: Numbered): Promise<void> {
  for (const feeding of await feedingOf(session, plan)) {
    await session.query(
      `select setval($1::regclass, b.top, b.called) from (${behindSql(feeding, plan)}) b where b.behind`,
      [quoteTable(feeding)],
    );
  }
}

/** Names of sequences that would give a value again, each with the column that it feeds. */
export async function sequencesBehind(session: SqlSession, plan: Numbered): Promise<string[]> {
  const findings: string[] = [];
  for (const feeding of await feedingOf(session, plan)) {
    const [row] = await session.query<{ behind: boolean }>(behindSql(feeding, plan));
    if (row?.behind !== true) continue;
    const column = quoteLiteral(`${feeding.table.name}.${feeding.column}`).trim();
    findings.push(`sequence ${quoteTable(feeding)} is behind ${column}`);
  }
  return findings;
}

function feedingOf(session: SqlSession, plan: Numbered): Promise<FeedingSequence[]> {
  return feedingSequences(
    session,
    plan.tables.map(({ table }) => table),
  );
}

/**
 * At most one row: the furthest state (`top`, `called`) that the sequence must have reached, and `behind`, whether it has not.
 * Of two states with one value, the one in which that value was given is further.
 */
function behindSql(feeding: FeedingSequence, plan: Numbered): string {
  const value = `t.${quoteIdent(feeding.column)}`;
  const inColumn = `select case when p.seqincrement > 0 then max(${value}) else min(${value}) end::bigint as top, true as called
    from ${quoteTable(feeding.table)} t where ${value} between p.seqmin and p.seqmax`;
  const states = [
    ...(feeding.whole ? [inColumn] : []),
    ...recordedFor(feeding, plan).map(
      ({ lastValue, isCalled }) => `select ${quoteLiteral(lastValue)}::numeric, ${isCalled}`,
    ),
    // Keeps the list from being empty, and gives it its types.
    "select null::numeric, true",
  ];
  return `select m.top::bigint as top, m.called, (m.top * p.way, m.called) > (s.last_value * p.way, s.is_called) as behind
    from (select *, sign(seqincrement)::numeric as way from pg_sequence) p cross join ${quoteTable(feeding)} s
      cross join lateral (select q.top, q.called from (${states.join(" union all ")}) q(top, called)
        where q.top between p.seqmin and p.seqmax order by q.top * p.way desc, q.called desc limit 1) m
    where p.seqrelid = ${quoteLiteral(quoteTable(feeding))}::regclass`;
}

/** What the backup says of the sequences that fed this column, whatever they are called today. */
function recordedFor({ table, column }: FeedingSequence, { tables, sequences }: Numbered): CarryPlan["sequences"] {
  const carried = tables.find((candidate) => sameTable(candidate.table, table));
  const source = carried?.columns.find((candidate) => candidate?.target.name === column)?.source ?? column;
  return sequences.filter(
    (sequence) => sameTable(sequence.table, carried?.source ?? table) && sequence.column === source,
  );
}
