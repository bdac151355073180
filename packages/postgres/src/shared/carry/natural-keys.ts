import type { CarryPlan, SqlSession } from "@replant/core";
import { identityColumns, ReplantError, tableLabel } from "@replant/core";
import { columnList, ownRows, quoteIdent } from "../quote.ts";
import { keyLabelSql } from "../selection.ts";

/** Keys that stand twice, and rows of each, are listed up to this many. */
const listedKeysMax = 20;

/**
 * Holds the natural keys that the configuration says against the rows of the new database: where two rows have one, nothing could
 * tell which of them a reference means.
 * @throws ReplantError REPLANT_CARRY_FAILED naming the rows
 */
export async function assertNaturalKeys(session: SqlSession, plan: CarryPlan): Promise<void> {
  const items: string[] = [];
  for (const { table, naturalKey, declared } of plan.context) {
    if (!declared) continue;
    const names = naturalKey.map(({ name }) => name);
    const key = keyLabelSql(names, (name) => `t.${quoteIdent(name)}`);
    const row = keyLabelSql(identityColumns(table) ?? names, (name) => `t.${quoteIdent(name)}`);
    const twice = await session.query<{ key: string; rows: string[] }>(
      `select ${key} as key, (array_agg(${row} order by ${row}))[1:${listedKeysMax}] as rows from ${ownRows(table)} t
       group by ${columnList(names, "t")} having count(*) > 1 order by 1 limit ${listedKeysMax}`,
    );
    items.push(...twice.map((found) => `${tableLabel(table)}: ${found.key} stands in ${found.rows.join("; ")}`));
  }
  if (items.length === 0) return;
  throw new ReplantError("REPLANT_CARRY_FAILED", "a declared natural key is not unique in the new database", {
    items,
    hint: "name columns under naturalKeys that tell the seeded rows apart",
  });
}
