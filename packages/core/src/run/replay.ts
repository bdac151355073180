import { isReplantError, messageOf, ReplantError } from "../errors.ts";
import type { BackupEntry, BackupManifest } from "../model/backup.ts";
import { tableLabel } from "../model/catalog.ts";
import type { KeepRules } from "../model/keep.ts";
import type { Harvest, RowSource } from "../ports/rows.ts";
import type { SqlSession } from "../ports/session.ts";
import type { BackupReader } from "../ports/store.ts";
import { keepRuleOf, planBackup } from "../plan/backup.ts";
import { baselineFingerprint } from "../plan/fingerprint.ts";
import type { Route } from "../plan/ladder.ts";
import { ensureBaseline, type Baseline } from "./baseline.ts";
import type { Run } from "./context.ts";
import { append, iso, step, warn } from "./context.ts";

export type ReplayRoute = Extract<Route, { kind: "replay" }>;

/** Rows that pending migrations ran over: as if a backup of them had been made today. */
export interface ReplayedRows {
  readonly entries: readonly BackupEntry[];
  readonly source: RowSource;
  readonly harvest: Harvest;
}

/** The database with a backup's migrations and nothing else: what a scratch database is cloned from. Made once, then cached. */
export async function ensureLevel(
  run: Run,
  { level }: ReplayRoute,
): Promise<{ baseline: Baseline; fingerprint: string }> {
  const { engine, migrator } = run.ports;
  const migrations = (await migrator.files()).slice(0, level);
  const target = await engine.probe();
  const fingerprint = baselineFingerprint({ target, migrator, migrations, seedFingerprint: "none" });
  return { baseline: await ensureBaseline(run, { fingerprint, seeds: null, level }), fingerprint };
}

/**
 * Runs the project's pending migrations over the rows of a backup, in a scratch database at the backup's level, and hands the result
 * to `work`; null where the rows do not fit the schema that their migrations make, so that nothing can run over them.
 * The scratch database is dropped afterwards, whatever happens.
 * @throws ReplantError REPLANT_MIGRATION_FAILED when a migration that works on empty tables fails on these rows
 */
export async function withReplay<Value>(
  run: Run,
  request: { route: ReplayRoute; reader: BackupReader; keep: KeepRules; candidate: SqlSession },
  work: (rows: ReplayedRows | null) => Promise<Value>,
): Promise<Value> {
  const { engine, clock } = run.ports;
  const { baseline, fingerprint } = await ensureLevel(run, request.route);
  const scratch = await engine.clone(baseline.database, {
    role: "scratch",
    run: run.id,
    fingerprint,
    createdAt: iso(clock.now()),
  });
  await append(run, { type: "database", at: iso(clock.now()), role: "scratch", ...scratch });
  try {
    const session = await engine.connect(scratch);
    try {
      const rows = await step(run, { kind: "replay", title: "replay" }, () => replayRows(run, { ...request, session }));
      return await work(rows);
    } finally {
      await session.close();
    }
  } finally {
    await engine.drop(scratch).catch((error: unknown) => {
      warn(run, `${scratch.name} could not be dropped: ${messageOf(error)}`);
    });
  }
}

async function replayRows(
  run: Run,
  {
    route,
    reader,
    keep,
    candidate,
    session,
  }: { route: ReplayRoute; reader: BackupReader; keep: KeepRules; candidate: SqlSession; session: SqlSession },
): Promise<{ value: ReplayedRows | null; title: string; note?: string }> {
  const { rows, engine } = run.ports;
  try {
    await rows.fill(session, reader.manifest.entries, (entry) => reader.rows(entry));
  } catch (error) {
    if (!isReplantError(error) || error.code !== "REPLANT_CARRY_FAILED") throw error;
    warn(run, `migrations cannot run over the rows, columns go by name instead: ${error.message}`);
    return { value: null, title: "replay   not possible" };
  }
  await migrate(run, { session, route, manifest: reader.manifest });
  const harvest = await rows.harvest(session, { keep, candidate });
  const catalog = await engine.catalog(session);
  const harvested = harvest.tables.map(({ table, where }) => {
    const rule = keepRuleOf(table, keep) ?? { where: null, onConflict: "kept" as const, onMissing: {} };
    return [tableLabel(table), { ...rule, where }] as const;
  });
  const selections = planBackup(catalog, Object.fromEntries(harvested), run.project.naturalKeys);
  const entries: BackupEntry[] = [];
  for (const [index, selection] of selections.entries()) {
    const { table, role } = selection;
    const facts = await rows.describe(session, selection);
    const id = `t${String(index + 1).padStart(4, "0")}`;
    entries.push({ id, role, table, ...facts, sizeBytes: 0, storedBytes: 0, sha256: "" });
  }
  const source: RowSource = (entry) => {
    const at = entries.findIndex(({ id }) => id === entry);
    const [selection, form] = [selections[at], entries[at]];
    if (selection === undefined || form === undefined) throw new Error(`there is no part ${entry}`);
    return rows.read(session, selection, form);
  };
  const count = route.pending.length;
  return {
    value: { entries, source, harvest },
    title: `replay   ${count} pending ${count === 1 ? "migration" : "migrations"} ran over the kept rows`,
    ...noteOf(harvest),
  };
}

function noteOf({ tables, gone }: Harvest): { note?: string } {
  const notes = [
    ...tables.flatMap(({ table, removed, added }) => [
      ...(removed === 0 ? [] : [`${removed} of ${tableLabel(table)} deleted`]),
      ...(added === 0 ? [] : [`${added} of ${tableLabel(table)} made`]),
    ]),
    ...gone.map(({ table }) => `${tableLabel(table)} dropped`),
  ];
  return notes.length === 0 ? {} : { note: `by them: ${notes.join(", ")}` };
}

/** The migrations have run on empty tables already: what fails here fails because of the rows. */
async function migrate(
  run: Run,
  { session, route, manifest }: { session: SqlSession; route: ReplayRoute; manifest: BackupManifest },
): Promise<void> {
  try {
    await run.ports.migrator.apply(session);
  } catch (error) {
    if (!isReplantError(error) || error.code !== "REPLANT_MIGRATION_FAILED") throw error;
    const items = await run.ports.rows.offenders(session, error.cause).catch(() => []);
    const { where, excerpt, why } = error.details;
    throw new ReplantError("REPLANT_MIGRATION_FAILED", `${error.message} on the rows of backup ${manifest.id}`, {
      ...(where === undefined ? {} : { where }),
      ...(excerpt === undefined ? {} : { excerpt }),
      why: `${why ?? "it failed"}; it works on empty tables, so it is the rows that it cannot take`,
      items,
      hint: `correct the migration, or the rows; or carry columns by name instead of running ${route.pending.length === 1 ? "it" : "them"}: --no-replay`,
      cause: error,
    });
  }
}
