import {
  ClerkInstance,
  ClerkProblem,
  organizationJson,
  seededRandom,
  userJson,
  VirtualClock,
} from "@replant/testkit/clerk";
import type { EmulatedEvent } from "@replant/testkit/clerk";
import { readObject } from "../../src/clerk/normalize.ts";
import type { IdentityProvider, Json, Kind, Page, ProviderObject } from "../../src/index.ts";
import { readEvent } from "../../src/clerk/normalize.ts";

/** Milliseconds from one attempt to the next. */
const retryDelaysMs = [0, 5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000];

/** What goes wrong between the provider and the database, and what happens meanwhile. */
export interface Weather {
  /** Up to so long from one operation to the next. */
  readonly paceMs: number;
  readonly jitterMs: number;
  /** Shares of messages. */
  readonly repeated: number;
  readonly dropped: number;
  /** Messages that come only after everything else. */
  readonly late: number;
  /** Nothing is accepted for an hour in the middle. */
  readonly outage: boolean;
  /** Share of calls that crash before they commit. */
  readonly crashes: number;
  /** Complete listings on the way. */
  readonly reconciles: number;
  readonly resets: number;
}

export interface Message {
  readonly id: string;
  readonly body: string;
}

interface Attempt {
  readonly message: Message;
  readonly at: number;
  readonly attempt: number;
}

/** A provider's instance that lives through a random history, and the post that brings its messages. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly instance: ClerkInstance;
  readonly weather: Weather;
  readonly late: Message[] = [];
  /** True: nothing happens any more but what others ask for. */
  quiet = false;
  #queue: Attempt[] = [];
  #count = 0;
  #emails = 0;

  constructor(seed: number, weather: Weather) {
    this.random = seededRandom(seed);
    this.weather = weather;
    this.instance = new ClerkInstance({
      clock: this.clock,
      random: this.random,
      instanceId: "ins_world",
      cascadeEvents: seed % 2 === 0,
      onEvent: (event, occurredAt) => this.#post(event, occurredAt),
    });
  }

  #post(event: EmulatedEvent, timestamp: number): void {
    const body = JSON.stringify({
      type: event.type,
      object: "event",
      data: event.data,
      timestamp,
      instance_id: "ins_world",
    });
    const message = { id: `msg_${++this.#count}`, body };
    const { dropped, late, repeated, jitterMs } = this.weather;
    const luck = this.random();
    if (luck < dropped) return;
    if (luck < dropped + late) {
      this.late.push(message);
      return;
    }
    const send = (): void => {
      this.#queue.push({ message, at: this.clock.now() + this.random() * jitterMs, attempt: 0 });
    };
    send();
    if (this.random() < repeated) send();
  }

  /** Lets time pass up to a moment; each message that is due is handed over, and comes again when it is refused. */
  async pass(untilMs: number, accept: (message: Message) => Promise<boolean>): Promise<void> {
    for (;;) {
      const next = this.#queue.reduce<Attempt | null>(
        (first, other) => (first === null || other.at < first.at ? other : first),
        null,
      );
      if (next === null || next.at > untilMs) break;
      this.#queue.splice(this.#queue.indexOf(next), 1);
      this.clock.moveTo(next.at);
      if (await accept(next.message)) continue;
      const delay = retryDelaysMs[next.attempt + 1];
      if (delay !== undefined) this.#queue.push({ ...next, at: next.at + delay, attempt: next.attempt + 1 });
    }
    if (untilMs < Infinity) this.clock.moveTo(untilMs);
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  /** One thing that people do. What the provider refuses did not happen. */
  operate(): void {
    try {
      this.#operate();
    } catch (error) {
      if (!(error instanceof ClerkProblem)) throw error;
    }
  }

  #operate(): void {
    const { instance } = this;
    const user = this.pick([...instance.users.values()]);
    const organization = this.pick([...instance.organizations.values()]);
    const membership = this.pick([...instance.memberships.values()]);
    const email = (): string =>
      // Few addresses, so that one is often given up by one and taken by another.
      this.random() < 0.5 ? `person${Math.floor(this.random() * 6)}@example.com` : `new${++this.#emails}@example.com`;
    const luck = this.random();
    if (luck < 0.18 || user === undefined) instance.createUser({ email: email(), firstName: `N${this.#count}` });
    else if (luck < 0.32)
      instance.updateUser(user.id, this.random() < 0.6 ? { email: email() } : { lastName: `L${this.#count}` });
    else if (luck < 0.4) instance.deleteUser(user.id);
    else if (luck < 0.52 || organization === undefined)
      instance.createOrganization({ name: `Org ${this.#count}`, slug: `slug-${Math.floor(this.random() * 8)}` });
    else if (luck < 0.58)
      instance.updateOrganization(organization.id, { slug: `slug-${Math.floor(this.random() * 8)}` });
    else if (luck < 0.63) instance.deleteOrganization(organization.id);
    else if (luck < 0.83)
      instance.createMembership({ organizationId: organization.id, userId: user.id, role: "org:member" });
    else if (membership === undefined) return;
    else if (luck < 0.9)
      instance.updateMembership(membership.id, { role: this.random() < 0.5 ? "org:admin" : "org:member" });
    else if (luck < 0.95) instance.deleteMembership(membership.id);
    else {
      instance.deleteMembership(membership.id);
      const { organizationId, userId } = membership;
      instance.createMembership({ organizationId, userId, role: "org:admin" });
    }
  }

  /** What the provider has, oldest first. */
  truth(kind: Kind): ProviderObject[] {
    const { instance } = this;
    const json: readonly object[] =
      kind === "user"
        ? [...instance.users.values()].map(userJson)
        : kind === "organization"
          ? [...instance.organizations.values()].map(organizationJson)
          : [...instance.memberships.values()].map((membership) => instance.membershipJson(membership));
    const plain = JSON.parse(JSON.stringify(json)) as { [key: string]: Json }[];
    return plain.map((object) => readObject(kind, object)).toSorted((a, b) => a.createdAt - b.createdAt);
  }

  /**
   * The instance without HTTP; between two pages life goes on.
   */
  provider({ pageSize, between }: { pageSize: number; between: () => Promise<void> }): IdentityProvider {
    const unused = (): never => {
      throw new Error("not part of this world");
    };
    return {
      name: "world",
      capabilities: { cursor: true, instanceWideMemberships: true, orderedEvents: false, deletesVisible: true },
      instance: async () => ({ id: "ins_world", environment: "development", now: this.clock.now() }),
      list: async (kind, after): Promise<Page> => {
        if (after !== null) await between();
        const all = this.truth(kind);
        const coming = after === null ? all : all.filter(({ createdAt }) => createdAt > Number(after));
        const objects = coming.slice(0, pageSize);
        const next = coming.length > pageSize ? String(objects.at(-1)?.createdAt) : null;
        return { objects, next, total: all.length };
      },
      find: async (kind, references) => {
        const ids = new Set(references.map(({ id }) => id));
        return this.truth(kind).filter(({ id }) => ids.has(id));
      },
      readEvent,
      look: unused,
      usersByEmail: unused,
      usersByExternalId: unused,
      organizationsBySlug: unused,
      ensureUser: unused,
    };
  }
}
