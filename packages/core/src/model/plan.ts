import type { MigrationFile } from "../ports/migrator.ts";
import type { SeedChoice, SeedInfo } from "../ports/seeder.ts";
import type { AppliedMigration } from "./backup.ts";
import type { Rung } from "./carry.ts";
import type { Catalog } from "./catalog.ts";
import type { StepKind } from "./events.ts";
import type { TargetFacts } from "./facts.ts";
import type { Route } from "../plan/ladder.ts";
import type { KeepRules, NaturalKeys } from "./keep.ts";

/** What a reset is asked to do. */
export interface ResetRequest {
  /** `smart` carries kept rows; `force` carries nothing. */
  readonly mode: "smart" | "force";
  readonly seeds: SeedChoice;
  /** Table labels whose rows may be lost, or `*`. */
  readonly acceptLoss: readonly string[];
  /** Whether pending migrations run over the kept rows; else columns go by name and by rule. */
  readonly replay: boolean;
}

/** Kept rows of a table that point at rows of live that no rule keeps. */
export interface UnkeptReference {
  /** The foreign key's name, or `rule:` and the path. */
  readonly constraint: string;
  readonly rows: number;
}

/** One table of live as the inspection found it. */
export interface TableFacts {
  readonly table: { readonly schema: string; readonly name: string };
  readonly rows: number;
  /** Rows that its keep rule selects; null when it has no rule. */
  readonly keptRows: number | null;
  /** Only references of which there are such rows. */
  readonly unkept?: readonly UnkeptReference[];
}

/** Everything that the planner looks at; gathered by `inspect`, without changing anything. */
export interface ResetFacts {
  readonly tool: string;
  readonly project: string;
  readonly target: TargetFacts;
  readonly keep: KeepRules;
  readonly naturalKeys: NaturalKeys;
  readonly migrator: { readonly id: string; readonly fingerprint: string };
  readonly migrations: readonly MigrationFile[];
  readonly applied: readonly AppliedMigration[];
  readonly seeds: readonly SeedInfo[];
  readonly seedFingerprint: string;
  /** null when there is no live database. */
  readonly live: {
    readonly catalog: Catalog;
    readonly tables: readonly TableFacts[];
    /** Counted only where kept rows may mean some. */
    readonly largeObjects?: number;
  } | null;
  /** What the baseline of this fingerprint looks like, when it is known. */
  readonly baseline: { readonly exists: boolean; readonly catalog: Catalog | null };
  readonly fingerprint: string;
}

/** What happens to one table. */
export interface TablePlan {
  readonly table: string;
  /** How its kept rows come to the new schema; null when it has none, or the new schema is not known yet. */
  readonly rung: Rung | null;
  /** `keep`: some rows are carried · `replace`: migrations and seeds fill it again · `drop`: the new schema has no such table. */
  readonly action: "keep" | "replace" | "drop";
  readonly rows: number;
  readonly keptRows: number;
  /** Rows that a keep rule selects and that cannot be carried, known before the run. */
  readonly quarantinedRows: number;
  /** One line each: the rule, columns dropped or defaulted, the reason of a loss. */
  readonly notes: readonly string[];
}

/** What a reset will do: data, printable, comparable; the run executes this object and nothing else. */
export interface ResetPlan {
  readonly version: 1;
  readonly command: "reset";
  readonly mode: ResetRequest["mode"];
  readonly tool: string;
  readonly target: {
    readonly engine: TargetFacts["engine"];
    readonly database: string;
    readonly location: string;
    readonly systemIdentifier: string;
    readonly liveId: string | null;
    readonly serverVersion: string;
  };
  /** How live is replaced, and what that promises. */
  readonly strategy: { readonly name: "swap" | "embedded" | "create"; readonly promise: string };
  readonly fingerprint: string;
  readonly baseline: "cached" | "build";
  readonly migrations: { readonly tool: string; readonly count: number; readonly new: readonly string[] };
  readonly seeds: readonly { readonly name: string; readonly set: string }[];
  readonly seedChoice: SeedChoice;
  /** How kept rows come to the new schema. */
  readonly route: Route;
  readonly replay: boolean;
  readonly keep: KeepRules;
  readonly naturalKeys: NaturalKeys;
  readonly acceptLoss: readonly string[];
  readonly tables: readonly TablePlan[];
  readonly totals: {
    readonly keptRows: number;
    readonly replacedTables: number;
    readonly droppedTables: number;
    readonly lostRows: number;
  };
  readonly steps: readonly StepKind[];
  readonly warnings: readonly string[];
  /** sha256 (hex, first 16) over the canonical JSON of everything above: consent and `apply` are bound to it. */
  readonly hash: string;
}
