import type { BackupEntry, CarryOutcome, CarryPlan, KeepRules, NaturalKeys, SqlSession } from "@replant/core";
import { planBackup, planCarry } from "@replant/core";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";

export const keepAll = { where: null, onConflict: "kept", onMissing: {} } as const;

export interface Carried {
  readonly plan: CarryPlan;
  readonly outcome: CarryOutcome;
  readonly findings: readonly string[];
}

/** Backs up `live` into memory and carries it into `candidate`, as a run does with files between. */
export async function carryBetween(
  live: SqlSession,
  candidate: SqlSession,
  keep: KeepRules,
  naturalKeys: NaturalKeys = {},
): Promise<Carried> {
  const parts = new Map<string, Uint8Array[]>();
  const entries: BackupEntry[] = [];
  for (const [index, selection] of planBackup(await readCatalog(live), keep, naturalKeys).entries()) {
    const id = `t${String(index + 1).padStart(4, "0")}`;
    const facts = await rowPort.describe(live, selection);
    const chunks: Uint8Array[] = [];
    for await (const chunk of rowPort.read(live, selection)) chunks.push(chunk.slice());
    parts.set(id, chunks);
    entries.push({
      id,
      role: selection.role,
      table: selection.table,
      ...facts,
      columns: facts.columns,
      sizeBytes: 0,
      storedBytes: 0,
      sha256: "",
    });
  }
  const plan = planCarry(entries, await readCatalog(candidate), keep, naturalKeys);
  const outcome = await rowPort.carry(candidate, plan, async function* (entry) {
    yield* parts.get(entry) ?? [];
  });
  return { plan, outcome, findings: await rowPort.verify(candidate, plan, outcome) };
}

/** Rows of a query as the server's text, one line per row. */
export async function lines(session: SqlSession, sql: string): Promise<string[]> {
  const rows = await session.query<{ line: string }>(`select (q.*)::text as line from (${sql}) q`);
  return rows.map(({ line }) => line);
}
