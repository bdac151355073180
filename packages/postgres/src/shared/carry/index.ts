import type { CarryOutcome, CarryPlan, RowSource, SqlSession } from "@replant/core";
import { ReplantError, sqlState, messageOf } from "@replant/core";
import { readCatalog } from "../catalog.ts";
import { relaxConstraints } from "./defer.ts";
import { loadAll, refreshViews } from "./load.ts";
import { leaveOthers } from "./retry.ts";
import { settleConflicts } from "./merge.ts";
import { rowsHiddenState, seeingAll } from "../selection.ts";
import { assertNaturalKeys } from "./natural-keys.ts";
import { findOccurrences } from "./occurrences.ts";
import { findFaults, readBack, unvalidatedConstraints } from "./readback.ts";
import { buildMaps, resolveMissing } from "./references.ts";
import { resolveViews } from "./resolve.ts";
import { findSeeds } from "./seeds.ts";
import { advanceSequences } from "./sequences.ts";
import { stage } from "./staging.ts";

/** What `verify` needs of a session's last carry: the constraints that were not validated before it. */
const carried = new WeakMap<SqlSession, { readonly unvalidated: readonly string[] }>();

/** See `RowPort.carry`. */
export function carry(session: SqlSession, plan: CarryPlan, source: RowSource): Promise<CarryOutcome> {
  return seeingAll(
    plan.tables.map(({ table }) => table),
    carryRows(session, plan, source),
  );
}

async function carryRows(session: SqlSession, plan: CarryPlan, source: RowSource): Promise<CarryOutcome> {
  // Set-based checks over many rows must not fall back to nested loops.
  await session.script("set work_mem = '256MB'; set client_min_messages = error; begin");
  try {
    const catalog = await readCatalog(session);
    const unvalidated = await unvalidatedConstraints(session);
    const staging = await stage(session, plan, source);
    await assertNaturalKeys(session, plan);
    await findSeeds(session, staging, catalog);
    await findOccurrences(session, staging, catalog);
    const maps = await buildMaps(session, staging, catalog);
    await resolveMissing(session, staging, maps);
    await resolveViews(session, staging, maps);
    await leaveOthers(session, { plan, staging, maps });
    await settleConflicts(session, staging, maps);
    await resolveMissing(session, staging, maps);
    const restore = await relaxConstraints(session);
    const merged = await loadAll(session, { staging, maps, catalog });
    await advanceSequences(session, plan);
    await session.script(restore);
    await refreshViews(session);
    await session.script("commit");
    carried.set(session, { unvalidated });
    return await readBack(session, { plan, staging, maps, merged });
  } catch (error) {
    await session.script("rollback").catch(() => undefined);
    if (sqlState(error) === undefined || sqlState(error) === rowsHiddenState) throw error;
    throw new ReplantError("REPLANT_CARRY_FAILED", `kept rows could not be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** See `RowPort.verify`. */
export async function verifyCarried(session: SqlSession, plan: CarryPlan, outcome: CarryOutcome): Promise<string[]> {
  const known = carried.get(session);
  if (known === undefined) throw new Error("verify runs in the session that carried");
  return findFaults(session, { plan, outcome, ...known });
}
