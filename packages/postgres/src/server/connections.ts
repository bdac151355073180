import { isMissingDatabase, openSession, type PgSession } from "./session.ts";
import type { ServerAddress } from "./url.ts";

export interface ConnectionOptions {
  readonly address: ServerAddress;
  /** null: `postgres`, or `template1` where live is called so or the server has no `postgres`. */
  readonly maintenanceDatabase: string | null;
  readonly applicationName: string;
}

/** Every session of one engine, and the one it keeps for reading and changing databases from outside of them. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #open = new Set<PgSession>();
  #maintenanceName: string;
  #maintenance: PgSession | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#maintenanceName =
      options.maintenanceDatabase ?? (options.address.database === "postgres" ? "template1" : "postgres");
  }

  /** The caller closes it. @throws ReplantError REPLANT_CONNECTION_FAILED */
  async open(database: string, applicationName = this.#options.applicationName): Promise<PgSession> {
    const session = await openSession(this.#options.address, { database, applicationName });
    for (const known of this.#open) if (!known.alive) this.#open.delete(known);
    this.#open.add(session);
    return session;
  }

  /** A session of its own in the maintenance database, where advisory locks of all runs meet. */
  async openMaintenance(applicationName?: string): Promise<PgSession> {
    try {
      return await this.open(this.#maintenanceName, applicationName);
    } catch (error) {
      const replaceable = this.#options.maintenanceDatabase === null && this.#maintenanceName === "postgres";
      if (!replaceable || !isMissingDatabase(error)) throw error;
      this.#maintenanceName = "template1";
      return this.open(this.#maintenanceName, applicationName);
    }
  }

  /** Works in the kept session of the maintenance database, one caller after the other. Not to be nested. */
  async maintain<Value>(work: (session: PgSession) => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(async () => {
      if (this.#maintenance?.alive !== true) this.#maintenance = await this.openMaintenance();
      return work(this.#maintenance);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Backends of the sessions that this engine has open. */
  pids(): number[] {
    return [...this.#open].filter((session) => session.alive).map((session) => session.pid);
  }

  /** Ends every session. Statements under way are ended on the server too: nobody waits for them any more. */
  async close(): Promise<void> {
    const sessions = [...this.#open].filter((session) => session.alive);
    const busy = sessions.filter((session) => session.busy).map((session) => session.pid);
    this.#open.clear();
    if (busy.length > 0) await this.#terminate(busy).catch(() => {});
    await Promise.all(sessions.map((session) => session.close()));
  }

  async #terminate(pids: number[]): Promise<void> {
    const session = await this.openMaintenance();
    try {
      await session.query("select pg_terminate_backend(pid) from unnest($1::int[]) pid", [pids]);
    } finally {
      await session.close();
      this.#open.delete(session);
    }
  }
}
