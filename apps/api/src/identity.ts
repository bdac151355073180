import { messageOf } from "@replant/core";
import { drain, type IdentityMapping, type InboxCounts, referenceMapping } from "@replant/identity-sync";
import { readEvent } from "@replant/identity-sync/clerk";
import { openIdentityStore, type PostgresIdentityStore } from "@replant/identity-sync/postgres";
import { createWebhookHandler, type WebhookHandler } from "@replant/identity-sync/webhooks";
import { connectTo, type ServerSession } from "@replant/postgres/server";
import { isAway } from "./database.ts";
import { Unavailable } from "./problem.ts";

export interface IdentityOptions {
  readonly url: string;
  /** Of the webhook endpoint; two while one replaces the other. */
  readonly secrets: readonly string[];
  readonly log: (message: string) => void;
  /** Default: that of the reference schema. */
  readonly mapping?: IdentityMapping;
}

/** What Clerk tells, and what becomes of it. Every call reconnects when a reset has ended the sessions. */
export interface Identity {
  readonly webhook: WebhookHandler;
  counts(): Promise<InboxCounts>;
  /** Applies what waits in the inbox. Calls that come meanwhile are one more round. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Connects when it is first needed, so that the application starts without its database too. */
export function openIdentity(options: IdentityOptions): Identity {
  const { secrets, log } = options;
  const stores = new Stores(options);
  let again = false;
  let draining: Promise<void> | null = null;
  const drainAll = async (): Promise<void> => {
    while (again) {
      again = false;
      const { failed } = await stores.use(({ store }) => drain(store, { read: readEvent }));
      if (failed > 0) log(`${failed} messages of Clerk cannot be applied: see "replant identity replay"`);
    }
  };
  const identity = {
    counts: () => stores.use(({ store }) => store.inbox.counts()),
    drain: () => {
      again = true;
      draining ??= drainAll().finally(() => (draining = null));
      return draining;
    },
    close: async () => {
      await draining?.catch(() => undefined);
      await stores.close();
    },
  };
  const webhook = createWebhookHandler({
    secrets: () => secrets,
    store: {
      inbox: { receive: (delivery) => stores.use(({ store }) => store.inbox.receive(delivery)) },
      instance: () => stores.use((opened) => opened.instance()),
    },
    readEvent,
    onAccepted: identity.drain,
    warn: log,
  });
  return { webhook, ...identity };
}

/** A store, which belongs to one database: the one that was live when it was opened. */
class Opened {
  readonly store: PostgresIdentityStore;
  readonly #sessions: readonly ServerSession[];
  #instance: string | null = null;

  constructor(store: PostgresIdentityStore, sessions: readonly ServerSession[]) {
    this.store = store;
    this.#sessions = sessions;
  }

  get lost(): boolean {
    return this.#sessions.some(({ alive }) => !alive);
  }

  /** Asked for until there is one: a database does not change it. */
  async instance(): Promise<string | null> {
    this.#instance ??= (await this.store.apply((transaction) => transaction.state())).instance?.id ?? null;
    return this.#instance;
  }
}

/** The store of the database that is live now. */
class Stores {
  readonly #options: IdentityOptions;
  #current: Promise<Opened> | null = null;

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  async use<Value>(work: (opened: Opened) => Promise<Value>): Promise<Value> {
    try {
      return await work(await this.#open());
    } catch (error) {
      throw isAway(error) ? new Unavailable(error) : error;
    }
  }

  async close(): Promise<void> {
    const opened = await this.#current?.catch(() => null);
    await opened?.store.close();
  }

  /** Another database may have other tables, so a lost session ends the whole store. */
  async #open(): Promise<Opened> {
    const current = this.#current;
    const opened = await current?.catch(() => null);
    if (opened != null && !opened.lost) return opened;
    // Whoever was faster has opened one already.
    if (this.#current !== current && this.#current !== null) return this.#current;
    opened?.store.close().catch((error: unknown) => this.#options.log(messageOf(error)));
    this.#current = this.#connect();
    return this.#current;
  }

  async #connect(): Promise<Opened> {
    const { url, mapping = referenceMapping } = this.#options;
    const sessions: ServerSession[] = [];
    const connect = async (): Promise<ServerSession> => {
      const session = await connectTo(url, "api identity");
      sessions.push(session);
      return session;
    };
    return new Opened(await openIdentityStore(connect, mapping), sessions);
  }
}
