import type { Catalog, TableName } from "../model/catalog.ts";
import type { TargetFacts } from "../model/facts.ts";
import type { SqlSession } from "./session.ts";

/** A database of the engine by its name: on a server the database's, embedded the generation's. */
export interface DatabaseRef {
  readonly name: string;
  /** Never used twice: the OID on a server, the generation on embedded. Outlives renames; in-doubt outcomes are decided by it. */
  readonly id: string;
}

/** What a database that Replant made is for. */
export type ManagedRole = "building" | "baseline" | "candidate" | "scratch" | "previous";

/** A database that carries Replant's mark. Only these are ever dropped. */
export interface ManagedDatabase extends DatabaseRef {
  readonly role: ManagedRole;
  /** Name of the live database it was made for. Baselines may serve several. */
  readonly live: string;
  readonly run: string;
  /** Set on baselines, and on what was cloned from one. */
  readonly fingerprint: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export type NewDatabase = Pick<ManagedDatabase, "role" | "run" | "fingerprint" | "createdAt">;

/** Who holds the lock of a database. */
export interface LockHolder {
  readonly run: string;
  readonly command: string;
  readonly pid: number;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

export interface RunLock {
  /** Throws REPLANT_LOCKED when the lock's session has been lost; called before every step that cannot be taken back. */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/** Live while nobody can commit to its kept tables. */
export interface Fence {
  /** The session that holds the locks; backup reads through it. Inside a transaction. */
  readonly session: SqlSession;
  /** Ends the transaction and lets writers go on. May be called twice, and after the swap. */
  release(): Promise<void>;
}

export interface SwapRequest {
  readonly candidate: DatabaseRef;
  /** The live database that was inspected; null when there is none yet. A live database with another id refuses the swap. */
  readonly live: DatabaseRef | null;
  readonly fence: Fence | null;
  readonly run: string;
  /** ISO 8601, UTC: when `previous` was made. */
  readonly at: string;
}

export interface SwapResult {
  readonly previous: DatabaseRef | null;
  /** Connections of others to live that the swap ended. */
  readonly endedSessions: number;
}

/**
 * The database engine that holds live. Every method may be called again after it failed.
 * Nothing here decides: names, order and what may be dropped come from core.
 */
export interface Engine {
  readonly kind: "server" | "embedded";
  /** Name of the live database, as people know it. */
  readonly database: string;
  /** Reads only. Throws REPLANT_CONNECTION_FAILED, REPLANT_EMBEDDED_VERSION. */
  probe(): Promise<TargetFacts>;
  /** One run per live database, across processes; a dead holder never blocks. Throws REPLANT_LOCKED with the holder named. */
  lock(holder: LockHolder): Promise<RunLock>;
  /** Throws REPLANT_CONNECTION_FAILED. The caller closes it before the database is cloned, swapped or dropped. */
  connect(database: DatabaseRef): Promise<SqlSession>;
  /** User tables only; Replant's own schema and migrators' state tables are absent. */
  catalog(session: SqlSession): Promise<Catalog>;
  /** Databases with Replant's mark for this live database, and all baselines; oldest first. */
  managed(): Promise<ManagedDatabase[]>;
  /** Bytes on disk; 0 where that may not be asked and for what has gone. Costs a look at every file: not for the hot path. */
  sizeBytes(database: DatabaseRef): Promise<number>;
  /** An empty database with this mark. Half-made ones are found by `managed` or vanish. */
  create(database: NewDatabase): Promise<DatabaseRef>;
  /** Turns a building database into a baseline; from now on nobody can connect to it. The seal is the last write. */
  seal(building: DatabaseRef, fingerprint: string): Promise<DatabaseRef>;
  /** A copy of a baseline with a mark of its own. */
  clone(baseline: DatabaseRef, database: NewDatabase): Promise<DatabaseRef>;
  /** Locks `tables` of live against writers, before anything is read. Throws REPLANT_FENCE_BLOCKED naming who is in the way. */
  fence(live: DatabaseRef, tables: readonly TableName[]): Promise<Fence>;
  /**
   * live → previous and candidate → live in one transaction, settings of the database included; lifts the fence.
   * Throws REPLANT_SWAP_FAILED when it certainly did not happen. Any other error is in doubt: ask `liveRef`.
   */
  swap(request: SwapRequest): Promise<SwapResult>;
  /** What the name live means now, or null. Decides in-doubt swaps. */
  liveRef(): Promise<DatabaseRef | null>;
  /** Drops one managed database; absent is success. Refuses what has no mark. */
  drop(database: DatabaseRef): Promise<void>;
  /** Ends pools and helper sessions. */
  close(): Promise<void>;
}
