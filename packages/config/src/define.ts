/** What `replant.config.ts` says. Paths and globs are relative to the directory of that file. */
export interface UserConfig {
  /** Shown at the head of every output. Default: the `name` of the package.json beside the file, else the directory's name. */
  readonly project?: string;
  /** Where the database is. Default: `DATABASE_URL`, and the embedded database where nothing gives it. */
  readonly database?: DatabaseConfig;
  /** What builds the schema. */
  readonly migrations: MigrationsConfig;
  /** What fills the new database. Default: no seeds. */
  readonly seeds?: SeedsConfig;
  /**
   * Rows that survive a reset, by table (`users`, or `billing.invoices` outside of the schema `public`): `true` for all of them,
   * an SQL condition over the table's columns for some, or a rule. A table that is not named here is rebuilt from migrations
   * and seeds. References and natural keys need no rule: they are read from the database.
   */
  readonly keep?: Readonly<Record<string, true | string | KeepConfig>>;
  /**
   * Columns that tell what a row of a table means, where no unique key without NULLs says it: `{ plans: ["name"] }`. NULLs are
   * equal to each other here. Default: the unique key that the database has.
   */
  readonly naturalKeys?: Readonly<Record<string, readonly string[]>>;
  /** Where backups are and how long they stay. */
  readonly backups?: BackupsConfig;
  /** Databases that a swap has replaced, for `replant undo`. */
  readonly previous?: PreviousConfig;
  /** Where users, organizations and memberships come from: `clerk({ ... })`. Default: from nowhere, there is no identity provider. */
  readonly identity?: IdentityConfig;
  /** What must never be replaced, beyond what looks like production by itself. */
  readonly guard?: GuardConfig;
}

/**
 * The address is never written here, only where it is found. The first of these wins: the variable in the environment; the
 * same variable in each of the env files, in their order; the embedded database. A variable that is empty counts as absent.
 */
export interface DatabaseConfig {
  /** Name of the variable that holds the URL. Default: `DATABASE_URL`. */
  readonly urlVariable?: string;
  /**
   * Env files that are asked for it when the environment has none. Absent files are skipped.
   * Default: `.env` and `prisma/.env` in `package`, then `.env` beside this file. `.env.local` is not read: Prisma does not.
   */
  readonly envFiles?: readonly string[];
  /** Directory whose env files are read by default. Default: the directory of this file. */
  readonly package?: string;
  /** Name of the embedded database: letters, digits, `_` and `-`. Default: `app`. */
  readonly name?: string;
  /** `server`: no URL is an error. `embedded`: any URL is ignored. Default: a server where a URL is found, else embedded. */
  readonly engine?: "server" | "embedded";
}

/** The project's migrations, read and applied as they are. */
export interface MigrationsConfig {
  /** The tool that they were written with. */
  readonly tool: "prisma";
  /** Directory of the migrations: `packages/database/prisma/migrations`. */
  readonly directory: string;
}

/** Seeds of the project. */
export interface SeedsConfig {
  /** Globs of the files that export what `defineSeed` makes. */
  readonly files: readonly string[];
  /** Sets that a reset runs. Default: `["system"]`. */
  readonly sets?: readonly string[];
  /** Seeds that are programs. Default: none. */
  readonly commands?: readonly CommandConfig[];
}

/** A seed that is a program of its own; the database to fill is in its `DATABASE_URL`, whatever `urlVariable` says. */
export interface CommandConfig {
  /** Lower-case letters, digits and dashes; unique among all seeds. */
  readonly name: string;
  /** Default: `system`. */
  readonly set?: string;
  /** Program and arguments, run without a shell: `["node", "prisma/seed.js"]`. */
  readonly command: readonly string[];
  /** Working directory. Default: the directory of this file. */
  readonly cwd?: string;
  /** Globs of every file that decides what it writes: a change of any of them makes a new baseline. At least one. */
  readonly inputs: readonly string[];
  readonly description?: string;
  /** Names of the seeds whose rows this one needs. Default: none. */
  readonly dependsOn?: readonly string[];
  /** Set for a command that may rightly add no row to a new database. Default: `false`. */
  readonly mayBeEmpty?: boolean;
  /** Names of environment variables that it sees beside `DATABASE_URL` and what finding programs takes. Default: none. */
  readonly passEnv?: readonly string[];
  /** After this it is ended. Default: 600,000, which is ten minutes. */
  readonly timeoutMs?: number;
}

/** Which rows of a table survive, and how they meet what migrations and seeds have put there. */
export interface KeepConfig {
  /** SQL condition over the table's columns. Default: every row. */
  readonly where?: string;
  /** Who wins when a kept row and a seeded row share a key; `error` stops the reset. Default: `kept`. */
  readonly onConflict?: "kept" | "seed" | "error";
  /**
   * What to do with a reference whose row is not there any more, by the name of its first column or of its constraint:
   * `error` stops the reset and names the row, `null` empties the reference, `drop-row` leaves the row out, `{ seed }` points
   * at that row of the seeds. Default: `error`.
   */
  readonly onMissing?: Readonly<Record<string, MissingConfig>>;
  /** What the table was called in older databases and backups. */
  readonly renamedFrom?: string;
  /** Columns whose values are not simply those of the same name, by their name in the new table. */
  readonly columns?: Readonly<Record<string, ColumnConfig>>;
  /** References that no foreign key says: ids inside json, or a column that means a row of one table or another. */
  readonly references?: readonly ReferenceConfig[];
}

/** `{ seed }`: the natural key of a seeded row, or each column's value where the key has several. */
export type MissingConfig =
  | "error"
  | "null"
  | "drop-row"
  | { readonly seed: string | Readonly<Record<string, string>> };

/**
 * How old values become those of a column. Used where the backup's schema cannot be brought to today's by migrations; `from` is
 * used always.
 */
export interface ColumnConfig {
  /** The column's old name. */
  readonly rename?: string;
  /** SQL for rows that have no value: `"'en'"`. */
  readonly fill?: string;
  /** SQL over the backup's columns: `"first_name || ' ' || last_name"`. */
  readonly convert?: string;
  /** Old value to new: `{ trial: "free" }`. */
  readonly map?: Readonly<Record<string, string | null>>;
  /** Says that the old column's values are left behind on purpose. */
  readonly drop?: boolean;
  /** Whose value stays where a kept row takes the place of a seeded one. Default: `kept`. */
  readonly from?: "kept" | "seed";
}

/** See `KeepConfig.references`. */
export interface ReferenceConfig {
  /** `subject_id`, or into json: `configuration.servers.*.id`. A list of its parts where one of them has a dot. */
  readonly path: string | readonly string[];
  /** The table that is meant. */
  readonly table: string;
  /** Its column. Default: its primary key. */
  readonly column?: string;
  /** SQL condition over the row: the value is such a reference only where it holds. Default: everywhere. */
  readonly when?: string;
  /** Default: `error`. */
  readonly onMissing?: MissingConfig;
}

/** A backup goes when it is beyond either limit; the newest good one always stays. */
export interface BackupsConfig {
  /** Default: `backups`. */
  readonly directory?: string;
  /** At least 1. Default: 20. */
  readonly keepLast?: number;
  /** In days; fractions are allowed. Default: 14. */
  readonly maxAgeDays?: number;
}

/** See `UserConfig.previous`. */
export interface PreviousConfig {
  /** How many stay; 0 means that a reset cannot be undone. Default: 1. */
  readonly keep?: number;
}

/** See `UserConfig.guard`. */
export interface GuardConfig {
  /** Names of databases or hosts that are production whatever they look like; case does not matter. Default: none. */
  readonly productionNames?: readonly string[];
}

/** Types the configuration of a project; make the result the default export of `replant.config.ts`. It is checked when it is loaded. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}

/** What `clerk` makes. */
export interface IdentityConfig extends ClerkConfig {
  readonly provider: "clerk";
}

/** How a Clerk instance lies in the database. What is left out is as in the reference schema. */
export interface ClerkConfig {
  /** Name of the variable that holds the secret key. Default: `CLERK_SECRET_KEY`. */
  readonly secretKeyVariable?: string;
  /** Name of the variable that holds the API's address. Default: `CLERK_API_URL`; where it is empty, Clerk's own. */
  readonly apiUrlVariable?: string;
  readonly users?: IdentityTableConfig;
  readonly organizations?: IdentityTableConfig;
  readonly memberships?: MembershipTableConfig;
  /**
   * The project's word for each role: `{ "org:admin": "admin", "*": "member" }`, where `*` is for all others. `null`: roles are
   * written as they are. A role that is not named is an error.
   */
  readonly roles?: Readonly<Record<string, string>> | null;
  /** Names of the tables that Replant keeps messages and tombstones in. */
  readonly tables?: Readonly<Partial<Record<"inbox" | "objects" | "parked" | "seen" | "state", string>>>;
}

/** The table that one kind of object lies in. */
export interface IdentityTableConfig {
  /** `users`, or `auth.users` outside of the schema `public`. */
  readonly table: string;
  /** Column of Clerk's id. */
  readonly id: string;
  /** By column: the field that fills it, `{ email: "email", first_name: "firstName" }`. */
  readonly columns: Readonly<Record<string, string>>;
  /** Column of the moment of a soft deletion; `null`: rows are dropped. Default: `deleted_at`. */
  readonly deletedAt?: string | null;
}

export interface MembershipTableConfig extends IdentityTableConfig {
  /** Column that points at the user's row. */
  readonly user: string;
  /** Column that points at the organization's row. */
  readonly organization: string;
}

/** Users, organizations and memberships come from a Clerk instance. */
export function clerk(config: ClerkConfig = {}): IdentityConfig {
  return { provider: "clerk", ...config };
}
