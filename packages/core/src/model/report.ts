import type { AppliedMigration, BackupSummary } from "./backup.ts";
import type { CarryOutcome, CarryWay, QuarantinedRow } from "./carry.ts";
import type { Route } from "../plan/ladder.ts";
import type { TargetFacts } from "./facts.ts";
import type { RunJournal } from "./journal.ts";
import type { ManagedDatabase } from "../ports/engine.ts";
import type { TableDifference } from "../ports/rows.ts";
import type { SeedResult } from "../ports/seeder.ts";

/** Kept rows that stayed behind although the loss was accepted. */
export interface AcceptedLoss {
  readonly table: string;
  readonly rows: number;
  readonly reason: string;
}

/** What became of the rows that an earlier run had left behind. `asked = returned + byRule + left`. */
export interface RetriedRows {
  /** The run that left them. */
  readonly run: string;
  readonly backup: string;
  readonly asked: number;
  readonly returned: number;
  /** Left out by a rule of today, or not in the backup under that key any more: a rule gives them another. */
  readonly byRule: number;
  readonly tables: readonly { readonly table: string; readonly returned: number; readonly left: number }[];
  /** Still where they were: in the backup. At most 10,000 are listed. */
  readonly left: readonly QuarantinedRow[];
}

/** What became of a follow-up. `failed`: the swap stands, and `items` says what to do. */
export interface FollowUpReport {
  readonly name: string;
  readonly state: "done" | "skipped" | "failed";
  readonly text: string;
  readonly items: readonly string[];
  readonly data: object | null;
}

/** Rows of a table with a keep rule that the rule did not select: they went with the old database, which is `previous` now. */
export interface ExcludedRows {
  readonly table: string;
  readonly rows: number;
}

export interface BackupReport {
  readonly run: string;
  readonly backup: string;
  readonly location: string;
  readonly tables: readonly { readonly table: string; readonly role: "kept" | "context"; readonly rows: number }[];
  readonly keptRows: number;
  readonly storedBytes: number;
}

export interface ImportReport extends BackupReport {
  readonly warnings: readonly string[];
}

/** What became of live; the same for reset, restore and the last task of a chain. */
export interface SwapReport {
  readonly run: string;
  readonly live: string;
  readonly planHash: string | null;
  /** Name of the database that was live before, for `undo`; null when there was none. */
  readonly previous: string | null;
  readonly backup: { readonly id: string; readonly location: string } | null;
  /** null when nothing was carried. Counts are read back from the new database. */
  readonly carried: CarryOutcome | null;
  /** Whether migrations ran over the rows, and why; null when nothing was carried. */
  readonly route: Route | null;
  /** By table: how its rows came into the new database. */
  readonly ways: readonly CarryWay[];
  readonly acceptedLoss: readonly AcceptedLoss[];
  /** Only of a reset that carries. */
  readonly excluded: readonly ExcludedRows[];
  /** Only of `retry`. */
  readonly retried: RetriedRows | null;
  readonly followUps: readonly FollowUpReport[];
  readonly endedSessions: number;
  readonly seeds: readonly SeedResult[];
  readonly durationMs: number;
  readonly warnings: readonly string[];
}

export interface UndoReport {
  readonly run: string;
  readonly live: string;
  readonly previous: string | null;
  /** When the database that is live again was replaced. ISO 8601. */
  readonly replacedAt: string;
  /** What the database that is now `previous` has, compared with live. */
  readonly differences: readonly TableDifference[];
  readonly followUps: readonly FollowUpReport[];
}

export interface SeedReport {
  readonly run: string;
  readonly seeds: readonly SeedResult[];
}

export interface MigrateReport {
  readonly run: string;
  readonly applied: readonly AppliedMigration[];
}

export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  readonly problems: readonly string[];
}

export interface StatusReport {
  readonly target: TargetFacts;
  readonly managed: readonly (ManagedDatabase & { readonly sizeBytes: number })[];
  readonly lastRun: RunJournal | null;
  /** What a crashed run left behind and what the next command will do about it, one sentence; null when all is well. */
  readonly unfinished: string | null;
  readonly backups: readonly BackupSummary[];
  /** null where reading it would need the database to be opened. */
  readonly migrations: MigrationStatus | null;
}
