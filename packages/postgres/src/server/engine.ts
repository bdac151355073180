import type {
  Catalog,
  DatabaseRef,
  Engine,
  Fence,
  LockHolder,
  ManagedDatabase,
  NewDatabase,
  RunLock,
  SqlSession,
  SwapRequest,
  SwapResult,
  TableName,
  TargetFacts,
} from "@replant/core";
import { ReplantError } from "@replant/core";
import { readCatalog } from "../shared/catalog.ts";
import { Connections } from "./connections.ts";
import { createCopy, createEmpty } from "./create.ts";
import { dropRow, findDatabase, isHalfMade, managedDatabases, sizeOf } from "./databases.ts";
import { raiseFence, type ServerFence } from "./fence.ts";
import { acquireLock } from "./lock.ts";
import { probeServer } from "./probe.ts";
import { sealBaseline } from "./seal.ts";
import { settledLive, swapDatabases } from "./swap.ts";
import { parseServerUrl, type ServerAddress } from "./url.ts";

export interface ServerOptions {
  /** `postgres://` or `postgresql://`; the database that it names is live. */
  readonly url: string;
  /**
   * The database from which others are created and renamed, and where runs lock each other out: the same for everyone who works
   * on this server. Absent: `postgres`, or `template1` where live is called so.
   */
  readonly maintenanceDatabase?: string;
  /** What the server calls our sessions: `replant` unless given. */
  readonly applicationName?: string;
  /** How long one of three tries waits for locks on kept tables, and lets new writers wait: 2,000 unless given. */
  readonly lockTimeoutMs?: number;
}

const lockTimeoutMs = 2_000;

/**
 * The engine on a PostgreSQL server. Connects when it is first used; `close` ends every session.
 * @throws ReplantError REPLANT_ENGINE_UNSUPPORTED | REPLANT_URL_INVALID | REPLANT_NAME_INVALID
 */
export function openServer(options: ServerOptions): Engine {
  return new ServerEngine(options);
}

class ServerEngine implements Engine {
  readonly kind = "server";
  readonly database: string;
  readonly #address: ServerAddress;
  readonly #connections: Connections;
  readonly #lockTimeoutMs: number;
  readonly #fences = new Set<ServerFence>();

  constructor(options: ServerOptions) {
    this.#address = parseServerUrl(options.url);
    this.database = this.#address.database;
    this.#lockTimeoutMs = options.lockTimeoutMs ?? lockTimeoutMs;
    this.#connections = new Connections({
      address: this.#address,
      maintenanceDatabase: options.maintenanceDatabase ?? null,
      applicationName: options.applicationName ?? "replant",
    });
  }

  probe(): Promise<TargetFacts> {
    return probeServer(this.#connections, this.#address);
  }

  lock(holder: LockHolder): Promise<RunLock> {
    return acquireLock(this.#connections, { live: this.database, holder });
  }

  async connect(database: DatabaseRef): Promise<SqlSession> {
    const session = await this.#connections.open(database.name);
    if (session.databaseId === database.id) return session;
    await session.close();
    throw new ReplantError("REPLANT_CONNECTION_FAILED", `"${database.name}" is another database by now`, {
      why: "it has been replaced since it was looked at",
      hint: "run the command again",
    });
  }

  catalog(session: SqlSession): Promise<Catalog> {
    return readCatalog(session);
  }

  managed(): Promise<ManagedDatabase[]> {
    return this.#connections.maintain((session) => managedDatabases(session, this.database));
  }

  sizeBytes(database: DatabaseRef): Promise<number> {
    return this.#connections.maintain((session) => sizeOf(session, database));
  }

  create(database: NewDatabase): Promise<DatabaseRef> {
    return this.#connections.maintain((session) => createEmpty(session, { live: this.database, database }));
  }

  seal(building: DatabaseRef, fingerprint: string): Promise<DatabaseRef> {
    return this.#connections.maintain((session) => sealBaseline(session, { building, fingerprint }));
  }

  clone(baseline: DatabaseRef, database: NewDatabase): Promise<DatabaseRef> {
    return this.#connections.maintain((session) => createCopy(session, { live: this.database, database, baseline }));
  }

  async fence(live: DatabaseRef, tables: readonly TableName[]): Promise<Fence> {
    const fence = await raiseFence(this.#connections, { live: live.name, tables, lockTimeoutMs: this.#lockTimeoutMs });
    if (fence.session.databaseId !== live.id) {
      await fence.release();
      throw new ReplantError("REPLANT_FENCE_BLOCKED", `"${live.name}" is another database by now`, {
        why: "it has been replaced since it was looked at",
        hint: "run the command again",
      });
    }
    this.#fences.add(fence);
    return fence;
  }

  async swap(request: SwapRequest): Promise<SwapResult> {
    // Known by its session, in case somebody has wrapped it.
    const fence = [...this.#fences].find(({ session }) => session === request.fence?.session) ?? null;
    if (request.fence !== null && fence === null) throw new Error("the fence was not raised by this engine");
    const result = await swapDatabases(this.#connections, { live: this.database, request, fence });
    await request.fence?.release();
    if (fence !== null) this.#fences.delete(fence);
    return result;
  }

  liveRef(): Promise<DatabaseRef | null> {
    return this.#connections.maintain((session) => settledLive(session, this.database));
  }

  async drop(database: DatabaseRef): Promise<void> {
    await this.#connections.maintain(async (session) => {
      const row = await findDatabase(session, database.name);
      if (row === null || row.id !== database.id) return;
      if (row.name === this.database || (row.mark === null && !isHalfMade(row, this.database))) {
        throw new Error(`"${row.name}" has no mark of Replant and is not dropped`);
      }
      await dropRow(session, row);
    });
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}
