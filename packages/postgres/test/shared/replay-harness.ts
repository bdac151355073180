import type { BackupEntry, Harvest, KeepRules, SqlSession } from "@replant/core";
import { planBackup, tableLabel } from "@replant/core";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";
import { backUp, carryBackup, keepAll, type Carried, type MemoryBackup } from "./harness.ts";

export interface Replayed {
  /** What was written of live. */
  readonly backup: MemoryBackup;
  readonly harvest: Harvest;
  readonly carried: Carried;
}

/** Backs up live, fills scratch, runs the migrations there, and carries what became of the rows into the candidate, as a run does. */
export async function replayBetween(
  {
    live,
    scratch,
    candidate,
    migrate,
  }: {
    live: SqlSession;
    scratch: SqlSession;
    candidate: SqlSession;
    migrate: (session: SqlSession) => Promise<void>;
  },
  keep: KeepRules,
): Promise<Replayed> {
  const backup = await backUp(live, keep);
  await rowPort.fill(scratch, backup.entries, backup.source);
  await migrate(scratch);
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
    { keep, replayed: true },
  );
  return { backup, harvest, carried };
}
