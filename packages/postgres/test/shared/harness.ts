import type {
  BackupEntry,
  CarryOutcome,
  CarryPlan,
  KeepRules,
  NaturalKeys,
  RecordedSequence,
  RowPort,
  RowSource,
  SqlSession,
} from "@replant/core";
import { planBackup, planCarry } from "@replant/core";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";

export const keepAll = { where: null, onConflict: "kept", onMissing: {} } as const;

export interface Carried {
  readonly plan: CarryPlan;
  readonly outcome: CarryOutcome;
  readonly findings: readonly string[];
}

/** A backup in memory. */
export interface MemoryBackup {
  readonly entries: readonly BackupEntry[];
  readonly sequences: readonly RecordedSequence[];
  readonly source: RowSource;
}

export interface HarnessOptions {
  readonly naturalKeys?: NaturalKeys;
  readonly rows?: RowPort;
  /** Migrations ran over the rows. */
  readonly replayed?: boolean;
}

/** Backs up what the rules select, as a run does into files. */
export async function backUp(
  live: SqlSession,
  keep: KeepRules,
  { naturalKeys = {}, rows = rowPort }: HarnessOptions = {},
): Promise<MemoryBackup> {
  const parts = new Map<string, Uint8Array[]>();
  const entries: BackupEntry[] = [];
  for (const [index, selection] of planBackup(await readCatalog(live), keep, naturalKeys).entries()) {
    const id = `t${String(index + 1).padStart(4, "0")}`;
    const { role, table } = selection;
    const facts = await rows.describe(live, selection);
    const chunks: Uint8Array[] = [];
    for await (const chunk of rows.read(live, selection, facts)) chunks.push(Buffer.from(chunk));
    parts.set(id, chunks);
    entries.push({ id, role, table, ...facts, sizeBytes: 0, storedBytes: 0, sha256: "" });
  }
  const kept = entries.filter(({ role }) => role === "kept");
  const sequences = await rows.sequences(
    live,
    kept.map(({ table }) => table),
  );
  return {
    entries,
    sequences,
    source: async function* (entry) {
      yield* parts.get(entry) ?? [];
    },
  };
}

/** Carries a backup into the candidate and reads it back. */
export async function carryBackup(
  candidate: SqlSession,
  { entries, sequences, source }: MemoryBackup,
  { keep, naturalKeys = {}, rows = rowPort, replayed = false }: HarnessOptions & { readonly keep: KeepRules },
): Promise<Carried> {
  const plan = planCarry(entries, await readCatalog(candidate), keep, { naturalKeys, sequences, replayed });
  const outcome = await rows.carry(candidate, plan, source);
  return { plan, outcome, findings: await rows.verify(candidate, plan, outcome) };
}

export async function carryBetween(
  live: SqlSession,
  candidate: SqlSession,
  keep: KeepRules,
  options: HarnessOptions = {},
): Promise<Carried> {
  return carryBackup(candidate, await backUp(live, keep, options), { keep, ...options });
}

/** Rows of a query as the server's text, one line per row. */
export async function lines(session: SqlSession, sql: string): Promise<string[]> {
  const rows = await session.query<{ line: string }>(`select (q.*)::text as line from (${sql}) q`);
  return rows.map(({ line }) => line);
}
