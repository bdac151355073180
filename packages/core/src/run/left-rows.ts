import { ReplantError } from "../errors.ts";
import type { WantedRows } from "../model/carry.ts";
import type { Catalog } from "../model/catalog.ts";
import { tableLabel } from "../model/catalog.ts";
import type { RetriedRows, SwapReport } from "../model/report.ts";
import type { DatabaseRef } from "../ports/engine.ts";
import type { BackupReader } from "../ports/store.ts";
import { carryInto } from "./carry.ts";
import type { Ports, Run } from "./context.ts";
import { withSession } from "./context.ts";
import { findSwap } from "./explain.ts";

/** Rows that a run swapped without, because their loss was accepted, and the backup that has them. */
export interface LeftRows {
  readonly run: string;
  readonly reader: BackupReader;
  readonly wanted: readonly WantedRows[];
  readonly count: number;
  /** False when that run was told to let no migrations run over the rows. */
  readonly replay: boolean;
}

/**
 * The rows that a run left behind, by its id or the beginning of one; without, those of the last run that left any. Their backup is
 * read to its end.
 * @throws ReplantError REPLANT_RUN_UNKNOWN | REPLANT_NOTHING_TO_RETRY, and what opening the backup throws
 */
export async function findLeftRows(
  { journal, store }: Pick<Ports, "journal" | "store">,
  run: string | null,
): Promise<LeftRows> {
  const { entry, report } = await findSwap(journal, { run, which: ({ acceptedLoss }) => acceptedLoss.length > 0 });
  const wanted = wantedOf(entry.run, report);
  if (wanted.length === 0 || report.backup === null) {
    throw new ReplantError("REPLANT_NOTHING_TO_RETRY", `run ${entry.run} left no rows behind`, {
      state: "nothing was touched",
      hint: "replant explain shows what a run did; a run that failed changed nothing, and live still has its rows",
    });
  }
  const reader = await store.open(report.backup.id);
  await reader.verify();
  const count = report.acceptedLoss.reduce((total, { rows }) => total + rows, 0);
  const replay = !(report.route?.kind === "direct" && report.route.asked === true);
  return { run: entry.run, reader, wanted, count, replay };
}

function wantedOf(run: string, { acceptedLoss, carried }: SwapReport): WantedRows[] {
  return [...new Set(acceptedLoss.map(({ table }) => table))].map((table) => {
    const counted = carried?.tables.find((other) => tableLabel(other.table) === table)?.quarantined ?? 0;
    const rows = (carried?.quarantined ?? []).flatMap((row) => (tableLabel(row.table) === table ? [row.row] : []));
    // A table that went as a whole has no rows that somebody may have deleted since.
    if (counted === 0) return { table, rows: null };
    if (rows.length === counted) return { table, rows };
    throw new ReplantError(
      "REPLANT_NOTHING_TO_RETRY",
      `run ${run} left ${counted} rows of ${table} behind, and lists ${rows.length} of them`,
      {
        why: "which of the others came over cannot be told any more",
        state: "nothing was touched",
        hint: "correct the rules and restore the whole backup: replant restore, with its id",
      },
    );
  });
}

/** The moment before live's own rows come. */
export async function markCandidate(run: Run, candidate: DatabaseRef): Promise<string> {
  return withSession(run, candidate, (session) => run.ports.rows.mark(session));
}

/**
 * Carries left rows into a candidate that has live's own already: none of those gives way to them.
 * @throws ReplantError REPLANT_ROWS_LOST when not one of them can be carried
 */
export async function carryLeftRows(
  run: Run,
  { run: of, reader, wanted, count, replay }: LeftRows,
  into: {
    readonly candidate: DatabaseRef;
    readonly catalog: Catalog;
    readonly replay: boolean;
    readonly since: string;
  },
): Promise<RetriedRows> {
  const { since, ...rest } = into;
  const target = { ...rest, replay: rest.replay && replay };
  const { outcome, acceptedLoss } = await carryInto(run, {
    ...target,
    reader,
    acceptLoss: ["*"],
    retry: { since, wanted },
  });
  const wantedTables = new Set(wanted.map(({ table }) => table));
  const tables = outcome.tables
    .filter(({ carried, quarantined }) => carried + quarantined > 0)
    .map(({ table, carried, quarantined }) => ({ table: tableLabel(table), returned: carried, left: quarantined }));
  const whole = acceptedLoss.filter(
    ({ table }) => wantedTables.has(table) && !tables.some((known) => known.table === table),
  );
  const returned = tables.reduce((total, table) => total + table.returned, 0);
  const left = [...tables.map((table) => table.left), ...whole.map(({ rows }) => rows)].reduce(
    (total, rows) => total + rows,
    0,
  );
  if (returned === 0 && left > 0) {
    throw new ReplantError("REPLANT_ROWS_LOST", `none of the ${count} rows that run ${of} left behind fits yet`, {
      items: [
        ...whole.map(({ table, rows, reason }) => `${table}: all ${rows} rows: ${reason}`),
        ...outcome.quarantined.map(({ table, row, reason }) => `${tableLabel(table)} ${row}: ${reason}`),
      ],
      hint: `correct the rule, the migration or the seed, and try again; they are safe in backup ${reader.manifest.id}`,
    });
  }
  return {
    run: of,
    backup: reader.manifest.id,
    asked: count,
    returned,
    byRule: count - returned - left,
    tables,
    left: outcome.quarantined,
  };
}
