import type { EmulatorClock } from "./clock.ts";
import { type DeliveryAttempt, type Endpoint, EndpointHealth, post } from "./endpoint.ts";
import { envelope } from "./events.ts";
import { SigningSecrets } from "./signing.ts";

/** Milliseconds from one attempt to the next, as Svix documents them: eight attempts within 27 h 35 min 5 s. */
export const retryDelaysMs: readonly number[] = [
  0,
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  10 * 3_600_000,
];

export interface Message {
  /** The same at every attempt and replay. */
  readonly id: string;
  readonly type: string;
  /** Exactly what is signed and sent. */
  readonly body: string;
  readonly createdAt: number;
  readonly attempts: DeliveryAttempt[];
  /** Dropped is what was never sent: lost on the way, or while the endpoint was disabled. */
  state: "pending" | "delivered" | "failed" | "dropped";
}

/** What goes wrong on the way. Shares are from 0 to 1. */
export interface DeliveryFaults {
  /** Never sent; only a look at the API tells. */
  readonly dropped: number;
  /** Sent twice under one id. */
  readonly repeated: number;
  /** The first attempt comes up to this much late, which also puts messages out of order. */
  readonly jitterMs: number;
}

export interface DeliveryOptions {
  readonly clock: EmulatorClock;
  readonly random: () => number;
  readonly instanceId: string;
  readonly endpoint: Endpoint | null;
  readonly faults?: Partial<DeliveryFaults>;
  /** The unit of the envelope's `timestamp`: the documentation shows both. Default: milliseconds. */
  readonly timestampUnit?: "ms" | "s";
}

interface Attempt {
  readonly message: Message;
  readonly dueAt: number;
  /** Null for a repetition or a replay, which nothing follows. */
  readonly attempt: number | null;
}

/** Sends events as Svix does. Nothing is sent until `run` or `flush` is called. */
export class Deliveries {
  readonly messages: Message[] = [];
  endpoint: Endpoint | null;
  faults: DeliveryFaults;
  readonly #options: DeliveryOptions;
  readonly #secrets: SigningSecrets;
  readonly #health = new EndpointHealth();
  /** By the time at which they are due. */
  #queue: Attempt[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.faults = { dropped: 0, repeated: 0, jitterMs: 0, ...options.faults };
    this.#secrets = new SigningSecrets(options);
  }

  /** The secret to verify with, `whsec_...`. */
  get secret(): string {
    return this.#secrets.current;
  }

  /** A new secret. The old one goes on signing beside it for a day. */
  rotateSecret(): string {
    return this.#secrets.rotate();
  }

  /** True after five days in which every attempt has failed. Nothing is sent until `enable`, and what was queued has failed. */
  get disabled(): boolean {
    return this.#health.disabled;
  }

  /** Lets messages go out again; those that were missed come with a replay. */
  enable(): void {
    this.#health.enable();
  }

  /** Queues an event of any type. */
  send(event: { readonly type: string; readonly data: object }, occurredAt: number): Message {
    const { clock, random, instanceId, timestampUnit } = this.#options;
    const timestamp = timestampUnit === "s" ? Math.floor(occurredAt / 1000) : occurredAt;
    const message: Message = {
      id: `msg_${this.#word(27)}`,
      type: event.type,
      body: envelope(event, { instanceId, timestamp }),
      createdAt: clock.now(),
      attempts: [],
      state: "pending",
    };
    this.messages.push(message);
    if (random() < this.faults.dropped || this.disabled) {
      message.state = "dropped";
      return message;
    }
    const due = (): number => clock.now() + random() * this.faults.jitterMs;
    this.#enqueue({ message, dueAt: due(), attempt: 0 });
    if (random() < this.faults.repeated) this.#enqueue({ message, dueAt: due(), attempt: null });
    return message;
  }

  /**
   * What the buttons of the dashboard do, with one attempt each: one message, all that failed, or all since then that were
   * never delivered and are not on their way. Answers with their number.
   * @throws Error while the endpoint is disabled
   */
  replay(which: { readonly id: string } | "failed" | { readonly missingSince: number }): number {
    if (this.disabled) throw new Error("the endpoint is disabled");
    const chosen = this.messages.filter((message) => {
      if (which === "failed") return message.state === "failed";
      if ("id" in which) return message.id === which.id;
      return message.createdAt >= which.missingSince && (message.state === "failed" || message.state === "dropped");
    });
    for (const message of chosen) {
      this.#enqueue({ message, dueAt: this.#options.clock.now(), attempt: null });
    }
    return chosen.length;
  }

  /** When the next attempt is due; null when there is none. */
  get nextDue(): number | null {
    return this.#queue[0]?.dueAt ?? null;
  }

  /** Makes every attempt that is due up to `untilMs`, one by one, sleeping in between. */
  async run(untilMs: number): Promise<void> {
    const { clock } = this.#options;
    for (let due = this.nextDue; due !== null && due <= untilMs; due = this.nextDue) {
      if (due > clock.now()) await clock.sleep(due - clock.now());
      await this.#next();
    }
  }

  /** Everything, to the last retry. */
  flush(): Promise<void> {
    return this.run(Infinity);
  }

  /** The headers of one attempt, signed now. */
  headersFor(message: Pick<Message, "id" | "body">): Record<string, string> {
    return this.#secrets.headersFor(message);
  }

  #enqueue(attempt: Attempt): void {
    const before = this.#queue.findLastIndex(({ dueAt }) => dueAt <= attempt.dueAt);
    this.#queue.splice(before + 1, 0, attempt);
  }

  async #next(): Promise<void> {
    const attempt = this.#queue.shift();
    if (attempt === undefined) return;
    const { message } = attempt;
    const headers = this.headersFor(message);
    const made = await post(this.endpoint, { headers, body: message.body, clock: this.#options.clock });
    const succeeded = made.status !== null && made.status >= 200 && made.status < 300;
    message.attempts.push(made);
    if (this.endpoint !== null) this.#health.note(made, succeeded);
    if (succeeded) {
      message.state = "delivered";
      this.#queue = this.#queue.filter((other) => other.message !== message || other.attempt === null);
    } else if (attempt.attempt !== null && message.state === "pending") {
      this.#retry(message, { attempt: attempt.attempt + 1, after: made.at });
    }
    if (this.disabled) this.#giveUp();
  }

  #retry(message: Message, { attempt, after }: { readonly attempt: number; readonly after: number }): void {
    const delay = retryDelaysMs[attempt];
    if (delay === undefined) message.state = "failed";
    else this.#enqueue({ message, dueAt: after + delay, attempt });
  }

  #giveUp(): void {
    for (const { message } of this.#queue) {
      if (message.state === "pending") message.state = "failed";
    }
    this.#queue = [];
  }

  #word(length: number): string {
    return Array.from({ length }, () => Math.floor(this.#options.random() * 36).toString(36)).join("");
  }
}
