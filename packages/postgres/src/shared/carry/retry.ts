import type { CarryPlan, SqlSession } from "@replant/core";
import { tableLabel } from "@replant/core";
import { collisionsSql, mapToSeeded } from "./merge.ts";
import type { ReferenceMaps } from "./references.ts";
import { rowLabelSql } from "./row-labels.ts";
import type { StagedTable, Staging } from "./staging.ts";

/**
 * Of a retry: takes out of the load what is not asked for. References to such a row mean the one that the candidate has under the
 * same key.
 */
export async function leaveOthers(
  session: SqlSession,
  { plan, staging, maps }: { plan: CarryPlan; staging: Staging; maps: ReferenceMaps },
): Promise<void> {
  if (plan.retry === null) return;
  for (const [index, table] of staging.tables.entries()) {
    const labels = [tableLabel(table.plan.table), tableLabel(table.plan.source)];
    const wanted = plan.retry.wanted.find((candidate) => labels.includes(candidate.table));
    if (wanted?.rows === null) continue;
    await leaveRows(session, { table, index, wanted: wanted?.rows ?? [], maps });
  }
}

async function leaveRows(
  session: SqlSession,
  { table, index, wanted, maps }: { table: StagedTable; index: number; wanted: readonly string[]; maps: ReferenceMaps },
): Promise<void> {
  const others = `replant_l${index}`;
  await session.query(`create temp table ${others} (n bigint primary key)`);
  await session.query(
    `insert into ${others} select s.n from ${table.raw} s
     where (${rowLabelSql(table)}) not in (select w from jsonb_array_elements_text($1::text::jsonb) w)`,
    [JSON.stringify(wanted)],
  );
  const ranked = collisionsSql(table, (_, rank) => `, ${rank} as rank`);
  if (ranked !== null) {
    const places = `(select distinct on (c.n) c.n, c.place, c.part from (${ranked}) c join ${others} l on l.n = c.n order by c.n, c.rank)`;
    await mapToSeeded(session, { table, collisions: places, maps });
  }
  await session.query(
    `insert into ${table.excluded} select n, 'dropped', 'not asked for', null from ${others}
     on conflict (n) do update set kind = excluded.kind, reason = excluded.reason, r = null`,
  );
}
