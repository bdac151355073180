import type { CarryReference, Catalog, SqlSession } from "@replant/core";
import { findTable, ReplantError, sameTable, tableLabel } from "@replant/core";
import { ownRows, quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import type { StagedTable, Staging } from "./staging.ts";
import { columnIndex } from "./staging.ts";

/** Temporary table of one row: what the rule `{ seed }` of a reference points at, `w0`, `w1`, … */
export function seedName(table: StagedTable, reference: CarryReference): string {
  return `${table.rows}_d${table.plan.references.indexOf(reference)}`;
}

/** The value that column `i` of the reference has by its rule where what it means is missing. */
export function valueWhenMissing(table: StagedTable, reference: CarryReference, i: number): string {
  return reference.seed === null ? "null" : `(select d.w${i} from ${seedName(table, reference)} d)`;
}

/**
 * Looks up the seeded rows of all rules `{ seed }`, before anything is loaded.
 * @throws ReplantError REPLANT_CARRY_FAILED listing the rows that the seeds do not have, or have twice
 */
export async function findSeeds(session: SqlSession, staging: Staging, catalog: Catalog): Promise<void> {
  const problems: string[] = [];
  for (const table of staging.tables) {
    for (const reference of table.plan.references) {
      if (reference.seed === null) continue;
      const rows = await findSeed(session, { table, reference, catalog });
      const key = reference.seed.map(({ name, value }) => `${name}=${value}`).join(", ");
      const rule = `${tableLabel(table.plan.table)}: onMissing of ${reference.constraint}: the seeds have`;
      if (rows !== 1)
        problems.push(
          `${rule} ${rows === 0 ? "no row" : `${rows} rows`} of ${tableLabel(reference.target)} with ${key}`,
        );
    }
  }
  if (problems.length === 0) return;
  throw new ReplantError("REPLANT_CARRY_FAILED", "a rule points at a seeded row that is not there", {
    items: problems,
    hint: "correct the rule in replant.config.ts, or the seed",
  });
}

async function findSeed(
  session: SqlSession,
  { table, reference, catalog }: { table: StagedTable; reference: CarryReference; catalog: Catalog },
): Promise<number> {
  const target = findTable(catalog, reference.target) ?? reference.target;
  const found = reference.targetColumns.map((name, i) => `t.${quoteIdent(name)} as w${i}`);
  const match = (reference.seed ?? []).map(({ name, value, via }) =>
    via === null
      ? `t.${quoteIdent(name)} = ${quoteLiteral(value)}`
      : `t.${quoteIdent(name)} = (select p.${quoteIdent(via.targetColumn)} from ${quoteTable(via.target)} p where p.${quoteIdent(via.key)} = ${quoteLiteral(value)})`,
  );
  const name = seedName(table, reference);
  await session.script(
    `create temp table ${name} as select ${found.join(", ")} from ${ownRows(target)} t where ${match.join(" and ")}`,
  );
  const [row] = await session.query<{ n: string }>(`select count(*)::text as n from ${name}`);
  return Number(row?.n ?? 0);
}

/** Statements that follow a seeded row which is about to be replaced: the rules that mean it mean the kept row then. */
export function followReplacedSeedsSql(
  replaced: StagedTable,
  { staging, rows }: { staging: Staging; rows: string },
): string[] {
  return staging.tables.flatMap((table) =>
    table.plan.references.flatMap((reference) => {
      const at = reference.targetColumns.map((name) => columnIndex(replaced.plan, name));
      if (reference.seed === null || !sameTable(reference.target, replaced.plan.table) || at.includes(-1)) return [];
      const match = reference.targetColumns.map((name, i) => `t.${quoteIdent(name)} = d.w${i}`);
      return [
        `update ${seedName(table, reference)} d set ${at.map((index, i) => `w${i} = r.f${index}`).join(", ")}
         from ${replaced.merged} g join ${rows} t on t.ctid = g.place and t.tableoid = g.part
           join ${replaced.resolved} r on r.n = g.n where ${match.join(" and ")}`,
      ];
    }),
  );
}
