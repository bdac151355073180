import type { SqlSession } from "./session.ts";

export interface SeedInfo {
  readonly name: string;
  /** `system` is required, every other set is optional. */
  readonly set: string;
  readonly dependsOn: readonly string[];
  readonly description: string | null;
  /** `file:line` from the project's root. */
  readonly where: string;
}

export interface SeedChoice {
  /** Sets to run; null is the configuration's choice. */
  readonly sets: readonly string[] | null;
  /** Names to run, with what they depend on; null is all of the sets. */
  readonly only: readonly string[] | null;
}

export interface SeedResult {
  readonly name: string;
  readonly set: string;
  /** Rows inserted or updated, as the server counted them. */
  readonly rows: number;
}

/** Runs the project's seeds. */
export interface Seeder {
  /** All seeds in the order in which they would run. @throws REPLANT_SEED_CYCLE | REPLANT_SEED_INVALID */
  list(): Promise<SeedInfo[]>;
  /** The seeds of a choice, dependencies first. @throws REPLANT_SEED_UNKNOWN */
  choose(choice: SeedChoice): Promise<SeedInfo[]>;
  /** sha256 (hex) over every file that the seeds of this choice consist of. */
  fingerprint(choice: SeedChoice): Promise<string>;
  /**
   * Each seed in a transaction of its own, recorded in the ledger of the database. Running twice adds nothing twice.
   * `mustWrite`: a seed that wrote nothing fails (a database that is being built has none of its rows yet).
   * @throws ReplantError REPLANT_SEED_FAILED naming seed, file and line | REPLANT_SEED_EMPTY
   */
  run(
    session: SqlSession,
    choice: SeedChoice,
    options: { readonly mustWrite: boolean; readonly onSeed: (result: SeedResult) => void },
  ): Promise<SeedResult[]>;
}
