import type { DatabaseRef, SqlSession } from "@replant/core";
import { quoteIdent, quoteLiteral } from "../shared/quote.ts";
import { type DatabaseRow, dropRow, findDatabase } from "./databases.ts";
import { invalidLimit, renderMark } from "./marks.ts";
import { advisoryKey, baselineName } from "./names.ts";

/**
 * Turns a building database into a baseline, in one transaction. Two projects may build the same one at the same time: the first
 * seal wins, and the second caller gets that baseline instead of its own.
 */
export async function sealBaseline(
  session: SqlSession,
  { building, fingerprint }: { building: DatabaseRef; fingerprint: string },
): Promise<DatabaseRef> {
  const lock = `pg_advisory_lock(${advisoryKey(`replant baseline:${fingerprint}`)})`;
  await session.query(`select ${lock}`);
  try {
    const row = await findDatabase(session, building.name);
    const mark = row?.mark ?? null;
    if (row === null || mark === null || row.id !== building.id || mark.role !== "building") {
      throw new Error(`${building.name} is not a database that is being built`);
    }
    const { name, existing } = await vacantName(session, fingerprint);
    if (existing !== null) {
      await dropRow(session, row);
      return { name: existing.name, id: existing.id };
    }
    // Processes that migrated or seeded it may still be about to go, and a rename waits for nobody longer than five seconds.
    await session.query("select pg_terminate_backend(pid) from pg_stat_activity where datid = $1::oid", [row.id]);
    await session.script(
      [
        "begin",
        `alter database ${quoteIdent(building.name)} rename to ${quoteIdent(name)}`,
        `comment on database ${quoteIdent(name)} is ${quoteLiteral(renderMark({ ...mark, role: "baseline", fingerprint }))}`,
        `alter database ${quoteIdent(name)} with allow_connections false`,
        "commit",
      ].join("; "),
    );
    return { name, id: row.id };
  } catch (error) {
    await session.script("rollback").catch(() => {});
    throw error;
  } finally {
    await session.query(`select ${lock.replace("_lock", "_unlock")}`).catch(() => {});
  }
}

/** The baseline's name, or the one that stands in for it where a role whose databases we may not copy has that. */
async function vacantName(
  session: SqlSession,
  fingerprint: string,
): Promise<{ name: string; existing: DatabaseRow | null }> {
  const [role] = await session.query<{ name: string }>("select current_user::text as name");
  const names = [baselineName(fingerprint), baselineName(fingerprint, role?.name ?? "")];
  for (const name of names) {
    const row = await findDatabase(session, name);
    if (row === null) return { name, existing: null };
    if (!row.copyable || row.mark?.role !== "baseline") continue;
    if (row.connectionLimit !== invalidLimit && row.mark.fingerprint === fingerprint) return { name, existing: row };
    // Half dropped, or of another fingerprint with the same beginning.
    await dropRow(session, row);
    return { name, existing: null };
  }
  throw new Error(`databases ${names.join(" and ")} are there already, and neither is a baseline that can be copied`);
}
