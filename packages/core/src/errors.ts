/**
 * What an error means for the person and for a script: the CLI maps each kind to one exit code.
 * `failed` live is untouched · `refused` a guard said no · `busy` try again later · `usage` the call or the config is wrong.
 */
export type ErrorKind = "failed" | "refused" | "busy" | "usage";

/** Every code that Replant throws on purpose, with its kind and one line for docs/errors.md (which is generated from here). */
export const errorCodes = {
  REPLANT_BACKUP_BINARY: [
    "failed",
    "Rows are in the binary form of one PostgreSQL version, and text or another version is needed.",
  ],
  REPLANT_BACKUP_DAMAGED: ["failed", "A backup's bytes differ from what its manifest recorded, or a part is missing."],
  REPLANT_BACKUP_EXISTS: ["failed", "A backup of that id is in the store already; backups are never overwritten."],
  REPLANT_BACKUP_FOREIGN: ["refused", "The backup was made from another project's database."],
  REPLANT_BACKUP_NEWER: ["failed", "The backup was written by a newer format than this version reads."],
  REPLANT_BACKUP_NOT_FOUND: ["usage", "No backup has that id or path."],
  REPLANT_BASELINE_FAILED: ["failed", "The baseline could not be built from migrations and seeds."],
  REPLANT_CANCELLED: ["failed", "The run was interrupted; live was not changed."],
  REPLANT_CARRY_FAILED: ["failed", "Kept rows could not be loaded into the candidate."],
  REPLANT_CHAIN_BROKEN: ["failed", "A task of the chain ran without the tasks that come before it."],
  REPLANT_COLUMN_UNSUPPORTED: [
    "refused",
    "A kept table has a column whose values stand outside of it: a large object.",
  ],
  REPLANT_CONFIG_INVALID: ["usage", "replant.config.ts has errors; all of them are listed."],
  REPLANT_CONFIG_NOT_FOUND: ["usage", "No replant.config.ts was found in this directory or above."],
  REPLANT_CONNECTION_FAILED: ["failed", "The database server did not accept the connection."],
  REPLANT_CONSENT_NEEDED: ["refused", "The command would lose or replace data and nobody agreed to that."],
  REPLANT_DISK_FULL: ["failed", "No space left where Replant had to write."],
  REPLANT_EMBEDDED_VERSION: ["failed", "The embedded data directory belongs to another PostgreSQL major version."],
  REPLANT_ENGINE_UNSUPPORTED: ["usage", "The database URL names an engine that Replant does not drive."],
  REPLANT_ENV_STRIPPED: ["usage", "turbo's strict mode removed the database URL from the environment."],
  REPLANT_FENCE_BLOCKED: ["busy", "Another session holds locks on kept tables; it is named."],
  REPLANT_FLAG_SWALLOWED: ["usage", "The package manager kept a flag that was meant for Replant."],
  REPLANT_GUARD_PRODUCTION: ["refused", "The database looks like production, or is marked so."],
  REPLANT_GUARD_REMOTE: ["refused", "The database is not on this machine and was not named in --yes."],
  REPLANT_IDENTITY_AMBIGUOUS: [
    "failed",
    "Objects of two instances of the identity provider cannot be told apart; nothing was mapped.",
  ],
  REPLANT_IDENTITY_EVENT: ["failed", "A message or a reply of the identity provider cannot be read."],
  REPLANT_IDENTITY_INSTANCE: [
    "refused",
    "The keys belong to another instance of the identity provider than the database.",
  ],
  REPLANT_IDENTITY_KEY: ["usage", "A key or a secret of the identity provider is not set, or is none."],
  REPLANT_IDENTITY_OFFLINE: ["failed", "The identity provider cannot be reached."],
  REPLANT_IDENTITY_ORPHANS: [
    "failed",
    "Rows are there that the identity provider does not have, and were not to be deleted.",
  ],
  REPLANT_IDENTITY_PRODUCTION: ["refused", "The keys belong to a production instance of the identity provider."],
  REPLANT_IDENTITY_PROVIDER: ["failed", "The identity provider refuses, or cannot be reached."],
  REPLANT_IDENTITY_ROLE: ["failed", "The identity provider has a role that the configuration does not map."],
  REPLANT_IDENTITY_SCHEMA: [
    "usage",
    "The database lacks tables or columns that the identity mapping names; all are listed.",
  ],
  REPLANT_IDENTITY_UNRESOLVED: ["failed", "A seed needs somebody whom the identity provider does not have."],
  REPLANT_IN_DOUBT: ["failed", "The outcome of a swap could not be decided; nothing else was touched."],
  REPLANT_INTERNAL: ["failed", "A bug in Replant: please report it with the run's log."],
  REPLANT_LOCKED: ["busy", "Another run works on this database; its holder is named."],
  REPLANT_MIGRATION_FAILED: ["failed", "A migration failed on the database being built."],
  REPLANT_MIGRATION_HISTORY: ["failed", "Applied migrations and the files disagree: edited, missing or failed."],
  REPLANT_MIGRATION_INVALID: ["usage", "The migrations directory is missing, or a folder in it has no migration file."],
  REPLANT_NAME_INVALID: ["usage", "A database or object name is empty, too long or holds a NUL."],
  REPLANT_NOTHING_TO_RETRY: ["usage", "The run left no rows behind, or not all that it left are listed."],
  REPLANT_NOTHING_TO_UNDO: ["usage", "No previous database is there to swap back."],
  REPLANT_ROW_UNREADABLE: [
    "failed",
    "The server cannot write out a row: it is beyond its limits, or holds bytes that are no text.",
  ],
  REPLANT_PLAN_CHANGED: ["refused", "What a plan was made for has changed since; each change is named."],
  REPLANT_PLAN_INVALID: ["usage", "The file is no plan, or was changed after it was made."],
  REPLANT_ROWS_LOST: ["failed", "Kept rows cannot be carried and the loss was not accepted; each is named."],
  REPLANT_ROWS_HIDDEN: ["failed", "Row-level security hides rows from the role of the database URL."],
  REPLANT_RULE_INVALID: ["usage", "A keep rule, a reference or a natural key does not fit the tables; all are listed."],
  REPLANT_RUN_UNKNOWN: ["usage", "No journal of such a run is there, or the run carried nothing."],
  REPLANT_SEED_CYCLE: ["usage", "Seeds depend on each other in a circle."],
  REPLANT_SEED_EMPTY: ["failed", "A seed ended without an error but wrote nothing."],
  REPLANT_SEED_FAILED: ["failed", "A seed failed."],
  REPLANT_SEED_INVALID: ["usage", "A seed file does not export what defineSeed makes."],
  REPLANT_SEED_UNKNOWN: ["usage", "A seed or a set of that name does not exist."],
  REPLANT_STORE_UNREADABLE: ["failed", "The backup store cannot be read or written."],
  REPLANT_STRATEGY_UNAVAILABLE: ["refused", "The server does not allow an atomic swap; what is missing is named."],
  REPLANT_SWAP_FAILED: ["failed", "The swap did not commit; live is what it was."],
  REPLANT_TABLE_UNKNOWN: ["usage", "A rule or a flag names a table that the database does not have."],
  REPLANT_URL_INVALID: ["usage", "The database URL is missing where one is needed, or cannot be read."],
  REPLANT_USAGE: ["usage", "The command line could not be understood."],
  REPLANT_VERIFY_FAILED: ["failed", "The candidate read back is not what it must be; live was not changed."],
} as const satisfies Record<string, readonly [ErrorKind, string]>;

export type ErrorCode = keyof typeof errorCodes;

/** Facts that a report shows under the message; each key is optional and plain text. */
export interface ErrorDetails {
  /** `file:line` or an object's name. */
  readonly where?: string;
  /** Lines of source around `where`. */
  readonly excerpt?: string;
  /** Why it happened, in the user's terms. */
  readonly why?: string;
  /** What happened to the user's data. Filled in by the runner when a step did not say. */
  readonly state?: string;
  /** The next command or edit. */
  readonly hint?: string;
  /** One line per row, table, backup or session that the message is about. */
  readonly items?: readonly string[];
  readonly cause?: unknown;
}

/**
 * An expected failure, written for the user. Recognise it by `code`, never by `instanceof` across packages:
 * two copies of this class may be loaded. Programmer errors stay plain `Error`.
 */
export class ReplantError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ReplantError";
    this.code = code;
    this.details = details;
  }

  /** The same error with details filled in where they were missing. */
  with(details: ErrorDetails): ReplantError {
    return new ReplantError(this.code, this.message, { ...details, ...this.details });
  }
}

/** True for a `ReplantError` of any copy of this package. */
export function isReplantError(error: unknown): error is ReplantError {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code in errorCodes;
}

/** The five-character SQLSTATE of a server's error, or undefined for any other value. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  // Five letters and no digit are an error of the operating system: EPIPE, EBUSY.
  return typeof error.code === "string" && /^(?=.*\d)[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** The server's words: message, detail and SQLSTATE in one line. Other errors give their message. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail =
    "detail" in error && typeof error.detail === "string" && error.detail !== "" ? ` (${error.detail})` : "";
  const state = sqlState(error);
  return `${error.message}${detail}${state === undefined ? "" : ` [${state}]`}`;
}
