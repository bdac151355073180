import type { BackupEntry, Harvest, KeepRules, SqlSession } from "@replant/core";
import { planBackup, tableLabel } from "@replant/core";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";
import { backUp, carryBackup, keepAll, type Carried } from "./harness.ts";

/** Backs up live, fills scratch, runs the migration there, and carries what became of the rows into the candidate, as a run does. */
export async function replayBetween(
  {
    live,
    scratch,
    candidate,
    migration,
  }: { live: SqlSession; scratch: SqlSession; candidate: SqlSession; migration: string },
  keep: KeepRules,
): Promise<{ harvest: Harvest; carried: Carried }> {
  const { entries, source } = await backUp(live, keep);
  await rowPort.fill(scratch, entries, source);
  await scratch.script(migration);
  const harvest = await rowPort.harvest(scratch, { keep, candidate });
  const rules = harvest.tables.map(({ table, where }) => [
    tableLabel(table),
    { ...keepAll, ...keep[tableLabel(table)], where },
  ]);
  const selections = planBackup(await readCatalog(scratch), Object.fromEntries(rules) as KeepRules);
  const parts = selections.map(({ table, role }, index) => ({
    id: `t${String(index).padStart(4, "0")}`,
    table,
    role,
  }));
  const replayed: BackupEntry[] = [];
  for (const [index, part] of parts.entries()) {
    const facts = await rowPort.describe(scratch, selections[index]!);
    replayed.push({ ...part, ...facts, sizeBytes: 0, storedBytes: 0, sha256: "" });
  }
  const carried = await carryBackup(
    candidate,
    {
      entries: replayed,
      sequences: [],
      source: (id) => {
        const at = parts.findIndex((part) => part.id === id);
        return rowPort.read(scratch, selections[at]!, replayed[at]!);
      },
    },
    { keep },
  );
  return { harvest, carried };
}
