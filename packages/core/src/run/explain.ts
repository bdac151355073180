import { ReplantError } from "../errors.ts";
import type { CarriedTable, CarryWay, QuarantinedRow, RepointedReference } from "../model/carry.ts";
import { tableLabel } from "../model/catalog.ts";
import type { RunJournal } from "../model/journal.ts";
import type { AcceptedLoss, RetriedRows, SwapReport } from "../model/report.ts";
import type { Route } from "../plan/ladder.ts";
import type { Journal } from "../ports/journal.ts";
import type { Ports } from "./context.ts";

/** What one run did to the rows of one table. */
export interface ExplainedTable {
  readonly table: string;
  /** null for a table whose rows could not go anywhere. */
  readonly way: CarryWay | null;
  readonly counts: CarriedTable | null;
  readonly repointed: readonly RepointedReference[];
  readonly quarantined: readonly QuarantinedRow[];
  readonly acceptedLoss: readonly AcceptedLoss[];
}

/** `replant explain`: what a run did, from its journal. */
export interface ExplainReport {
  readonly run: string;
  readonly command: string;
  /** When it began, ISO 8601, UTC. */
  readonly at: string;
  readonly backup: SwapReport["backup"];
  readonly route: Route | null;
  readonly tables: readonly ExplainedTable[];
  /** Rows of an older run that came back with this one; null where it was no retry. */
  readonly retried: RetriedRows | null;
  readonly warnings: readonly string[];
}

/**
 * Explains a run by its id or the beginning of one; without, the last one that carried rows. `table` leaves the others out.
 * @throws ReplantError REPLANT_RUN_UNKNOWN listing the runs that can be explained | REPLANT_TABLE_UNKNOWN
 */
export async function explain(
  { journal }: Pick<Ports, "journal">,
  { run, table }: { run: string | null; table: string | null },
): Promise<ExplainReport> {
  const { entry, report } = await findSwap(journal, { run, which: () => true });
  return describe(entry, report, table);
}

/**
 * A run that carried rows and swapped, by its id or the beginning of one; without, the last of those that `which` accepts.
 * @throws ReplantError REPLANT_RUN_UNKNOWN listing the runs that carried rows
 */
export async function findSwap(
  journal: Journal,
  { run, which }: { run: string | null; which: (report: SwapReport) => boolean },
): Promise<{ entry: RunJournal; report: SwapReport }> {
  const known = (await journal.runs(50)).flatMap((entry) => {
    const report = swapReportOf(entry);
    return report === null ? [] : [{ entry, report }];
  });
  const found =
    run === null
      ? known.filter(({ report }) => which(report)).slice(0, 1)
      : known.filter(({ entry }) => entry.run.startsWith(run));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw unknownRun(run, { known: known.map(({ entry }) => entry), many: found.length > 1 });
}

/** The report of a run that ended well and carried rows. */
function swapReportOf({ records }: RunJournal): SwapReport | null {
  const end = records.findLast((record) => record.type === "end");
  if (end?.type !== "end" || end.summary === null) return null;
  const summary: Partial<SwapReport> = end.summary;
  return summary.carried != null && Array.isArray(summary.ways) ? (summary as SwapReport) : null;
}

function describe(entry: RunJournal, report: SwapReport, only: string | null): ExplainReport {
  const begin = entry.records.find((record) => record.type === "begin");
  const { carried, ways, acceptedLoss, backup, route, warnings } = report;
  const labels = [...new Set([...ways.map(({ table }) => table), ...acceptedLoss.map(({ table }) => table)])];
  if (only !== null && !labels.includes(only)) {
    throw new ReplantError(
      "REPLANT_TABLE_UNKNOWN",
      `run ${entry.run} carried no rows of ${JSON.stringify(only.slice(0, 200))}`,
      {
        hint: "name one of those that are listed",
        items: labels,
      },
    );
  }
  const tables = labels
    .filter((label) => only === null || label === only)
    .map((label): ExplainedTable => {
      const counts = carried?.tables.find(({ table }) => tableLabel(table) === label);
      return {
        table: label,
        way: ways.find(({ table }) => table === label) ?? null,
        counts: counts ?? null,
        repointed: carried?.repointed.filter(({ table }) => tableLabel(table) === label) ?? [],
        quarantined: carried?.quarantined.filter(({ table }) => tableLabel(table) === label) ?? [],
        acceptedLoss: acceptedLoss.filter(({ table }) => table === label),
      };
    });
  return {
    run: entry.run,
    command: begin?.type === "begin" ? begin.command : "",
    at: begin?.type === "begin" ? begin.at : "",
    backup,
    route,
    tables,
    retried: report.retried ?? null,
    warnings,
  };
}

function unknownRun(
  run: string | null,
  { known, many }: { known: readonly RunJournal[]; many: boolean },
): ReplantError {
  const which =
    run === null
      ? "no run has carried rows yet"
      : `${many ? "several runs begin" : "no run that carried rows begins"} with "${run}"`;
  return new ReplantError("REPLANT_RUN_UNKNOWN", which, {
    state: "nothing was touched",
    hint:
      known.length === 0
        ? "replant reset carries the rows that the configuration names"
        : "name one of those that are listed, newest first",
    items: known.map((entry) => {
      const begin = entry.records.find((record) => record.type === "begin");
      return `${entry.run}  ${begin?.type === "begin" ? begin.command : ""}`;
    }),
  });
}
