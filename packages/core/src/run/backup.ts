import { ReplantError } from "../errors.ts";
import { backupId } from "../model/backup-id.ts";
import type { BackupEntry, BackupManifest, RecordedSequence } from "../model/backup.ts";
import type { RowSelection } from "../model/carry.ts";
import { tableLabel } from "../model/catalog.ts";
import type { TargetFacts } from "../model/facts.ts";
import type { Skeleton } from "../model/identity.ts";
import type { KeepRules } from "../model/keep.ts";
import type { BackupReport } from "../model/report.ts";
import type { SqlSession } from "../ports/session.ts";
import type { BackupWriter } from "../ports/store.ts";
import type { BackupScope } from "../plan/backup.ts";
import { backupRules, largeObjectColumns, planBackup, recordedRules, skeletonOf } from "../plan/backup.ts";
import { largeObjectWarning } from "../plan/reset.ts";
import { appliedOf } from "./inspect.ts";
import type { Ports, Project, Run } from "./context.ts";
import { append, iso, step, throwIfAborted, warn } from "./context.ts";
import { withRun } from "./with-run.ts";

/**
 * Reads kept and context rows through one session and stores them. The session must see one state of the data: locked tables or
 * a repeatable-read snapshot.
 */
export async function writeBackup(
  run: Run,
  {
    session,
    target,
    scope = { kind: "keep" },
    skeleton = null,
  }: BackupOptions & { session: SqlSession; target: TargetFacts },
): Promise<BackupManifest> {
  const { engine } = run.ports;
  const catalog = await engine.catalog(session);
  const keep = backupRules(catalog, run.project.keep, scope);
  const planned = planBackup(catalog, keep, run.project.naturalKeys);
  const selections = skeleton === null ? planned : skeletonOf(planned, skeleton);
  const oids = largeObjectColumns(catalog, keep);
  const largeObjects = oids.length === 0 ? 0 : await run.ports.rows.largeObjects(session);
  if (largeObjects > 0) warn(run, largeObjectWarning(largeObjects, oids));
  return writeParts(run, { session, target, keep }, async (writer) => {
    const total = selections.length;
    for (const [index, selection] of selections.entries()) {
      throwIfAborted(run.ports.signal);
      await writePart(run, { session, selection, writer, id: `t${String(index + 1).padStart(4, "0")}` });
      run.ports.emit({ type: "progress", step: "backup", done: index + 1, total, unit: "tables" });
    }
    const kept = selections.filter(({ role }) => role === "kept");
    return run.ports.rows.sequences(
      session,
      kept.map(({ table }) => table),
    );
  });
}

/**
 * Makes one backup of the parts that `write` adds to it, or none: what was written goes when anything fails.
 * @param write gives how far the sequences of the kept tables have come
 */
export async function writeParts(
  run: Run,
  { session, target, keep }: { session: SqlSession; target: TargetFacts; keep: KeepRules },
  write: (writer: BackupWriter) => Promise<readonly RecordedSequence[]>,
): Promise<BackupManifest> {
  const { store, clock, migrator } = run.ports;
  const id = backupId(clock.now(), run.id);
  const writer = await store.create(id);
  try {
    const sequences = await write(writer);
    const manifest = await writer.seal({
      format: 1,
      tool: run.project.tool,
      id,
      run: run.id,
      createdAt: iso(clock.now()),
      lineage: { systemIdentifier: target.systemIdentifier, database: target.database, project: run.project.id },
      server: { version: target.serverVersion, encoding: target.encoding },
      migrator: migrator.id,
      migrations: appliedOf(await migrator.records(session)),
      keep: recordedRules(keep),
      sequences,
    });
    await append(run, { type: "backup", at: iso(clock.now()), backup: id });
    return manifest;
  } catch (error) {
    await writer.abort().catch(() => undefined);
    throw error;
  }
}

/** Adds the rows of one selection, where they do not stand in their own table with the name and the role of `as`. */
export async function writePart(
  run: Run,
  {
    session,
    selection,
    writer,
    id,
    as = selection,
  }: {
    session: SqlSession;
    selection: RowSelection;
    writer: BackupWriter;
    id: string;
    as?: Pick<RowSelection, "table" | "role">;
  },
): Promise<BackupEntry> {
  const facts = await run.ports.rows.describe(session, selection);
  // How the table is read is no fact about its rows.
  const { hasChildren: _, ...table } = as.table;
  const entry = await writer.add(
    { id, role: as.role, table, columns: facts.columns, copy: facts.copy, digest: facts.digest },
    run.ports.rows.read(session, selection, facts),
  );
  if (entry.rows !== facts.rows) {
    throw new ReplantError(
      "REPLANT_VERIFY_FAILED",
      `${tableLabel(as.table)}: ${facts.rows} rows counted, ${entry.rows} read`,
      {
        state: "live was not changed; the incomplete backup was removed",
      },
    );
  }
  return entry;
}

/** The live database, which has to be there. */
export function assertLive({ live, database }: TargetFacts, state: string): NonNullable<TargetFacts["live"]> {
  if (live !== null) return live;
  throw new ReplantError("REPLANT_CONNECTION_FAILED", `the database "${database}" does not exist yet`, {
    state,
    hint: "replant reset makes it, with migrations and seeds",
  });
}

export function keptRowsOf(manifest: BackupManifest): number {
  return manifest.entries.reduce((total, entry) => total + (entry.role === "kept" ? entry.rows : 0), 0);
}

export function keptTablesOf(manifest: BackupManifest): number {
  return manifest.entries.filter((entry) => entry.role === "kept").length;
}

export function describeBackup(run: Run, manifest: BackupManifest): BackupReport {
  return {
    run: run.id,
    backup: manifest.id,
    location: `${run.ports.store.location}/${manifest.id}`,
    tables: manifest.entries.map(({ table, role, rows }) => ({ table: tableLabel(table), role, rows })),
    keptRows: keptRowsOf(manifest),
    storedBytes: manifest.entries.reduce((total, entry) => total + entry.storedBytes, 0),
  };
}

export interface BackupOptions {
  /** Default: the rows that a reset keeps. */
  readonly scope?: BackupScope;
  /** Set for a backup that names nobody. */
  readonly skeleton?: Skeleton | null;
}

/** `replant backup`: rows of live from one snapshot, while writers go on. */
export async function backup(ports: Ports, project: Project, options: BackupOptions = {}): Promise<BackupReport> {
  return withRun({ ports, project, command: "backup" }, (run) => backupLive(run, options));
}

export async function backupLive(run: Run, options: BackupOptions = {}): Promise<BackupReport> {
  const target = await run.ports.engine.probe();
  const live = assertLive(target, "there is nothing to back up");
  return step(run, { kind: "backup", title: "backup" }, async () => {
    const session = await run.ports.engine.connect(live);
    try {
      await session.script("begin isolation level repeatable read read only");
      const manifest = await writeBackup(run, { session, target, ...options });
      await session.script("commit");
      const report = describeBackup(run, manifest);
      return {
        value: report,
        title: `backup   ${report.keptRows} rows, ${keptTablesOf(manifest)} tables`,
        note: report.location,
      };
    } finally {
      await session.close();
    }
  });
}
