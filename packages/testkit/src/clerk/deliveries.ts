import { Webhook } from "svix";
import type { EmulatorClock } from "./clock.ts";
import { envelope } from "./events.ts";

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

/** The receiver: its address, or itself. It has 15 seconds; anything but 2xx has failed. */
export type Endpoint = string | ((request: Request) => Promise<Response>);

export interface Message {
  /** The same at every attempt and replay. */
  readonly id: string;
  readonly type: string;
  /** Exactly what is signed and sent. */
  readonly body: string;
  readonly createdAt: number;
  readonly attempts: { readonly at: number; readonly status: number | null }[];
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

/** How long the secret before the last rotation still signs. */
const overlapMs = 24 * 3_600_000;

/** Sends events as Svix does. Nothing is sent until `run` or `flush` is called. */
export class Deliveries {
  readonly messages: Message[] = [];
  endpoint: Endpoint | null;
  faults: DeliveryFaults;
  readonly #options: DeliveryOptions;
  #secrets: readonly { readonly secret: string; readonly until: number }[];
  #queue: Attempt[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.faults = { dropped: 0, repeated: 0, jitterMs: 0, ...options.faults };
    this.#secrets = [{ secret: this.#newSecret(), until: Infinity }];
  }

  /** The secret to verify with, `whsec_...`. */
  get secret(): string {
    return this.#secrets[0]?.secret ?? "";
  }

  /** A new secret. The old one goes on signing beside it for a day. */
  rotateSecret(): string {
    const until = this.#options.clock.now() + overlapMs;
    this.#secrets = [
      { secret: this.#newSecret(), until: Infinity },
      ...this.#secrets.map((old) => ({ ...old, until: Math.min(old.until, until) })),
    ];
    return this.secret;
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
    if (random() < this.faults.dropped) {
      message.state = "dropped";
      return message;
    }
    const due = (): number => clock.now() + random() * this.faults.jitterMs;
    this.#queue.push({ message, dueAt: due(), attempt: 0 });
    if (random() < this.faults.repeated) this.#queue.push({ message, dueAt: due(), attempt: null });
    return message;
  }

  /** What the buttons of the dashboard do: one message, all that failed, or all that were never delivered since then. */
  replay(which: { readonly id: string } | "failed" | { readonly missingSince: number }): number {
    const chosen = this.messages.filter((message) => {
      if (which === "failed") return message.state === "failed";
      return "id" in which
        ? message.id === which.id
        : message.createdAt >= which.missingSince && message.state !== "delivered";
    });
    for (const message of chosen) {
      this.#queue.push({ message, dueAt: this.#options.clock.now(), attempt: null });
    }
    return chosen.length;
  }

  /** When the next attempt is due; null when there is none. */
  get nextDue(): number | null {
    return this.#queue.length === 0 ? null : Math.min(...this.#queue.map(({ dueAt }) => dueAt));
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

  async #next(): Promise<void> {
    this.#queue.sort((a, b) => a.dueAt - b.dueAt);
    const attempt = this.#queue.shift();
    if (attempt === undefined) return;
    const { message } = attempt;
    const status = await this.#post(message);
    message.attempts.push({ at: this.#options.clock.now(), status });
    if (status !== null && status >= 200 && status < 300) {
      message.state = "delivered";
      this.#queue = this.#queue.filter((other) => other.message !== message || other.attempt === null);
      return;
    }
    if (attempt.attempt === null || message.state !== "pending") return;
    const delay = retryDelaysMs[attempt.attempt + 1];
    if (delay === undefined) message.state = "failed";
    else {
      const dueAt = this.#options.clock.now() + delay;
      this.#queue.push({ message, dueAt, attempt: attempt.attempt + 1 });
    }
  }

  /** The headers of one attempt. The time in them is the machine's, because receivers compare it with theirs. */
  headersFor({ id, body }: Pick<Message, "id" | "body">): Record<string, string> {
    const now = new Date();
    const valid = this.#secrets.filter(({ until }) => until > this.#options.clock.now());
    return {
      "content-type": "application/json",
      "svix-id": id,
      "svix-timestamp": String(Math.floor(now.getTime() / 1000)),
      "svix-signature": valid.map(({ secret }) => new Webhook(secret).sign(id, now, body)).join(" "),
    };
  }

  async #post(message: Message): Promise<number | null> {
    if (this.endpoint === null) return null;
    const url = typeof this.endpoint === "string" ? this.endpoint : "http://127.0.0.1/webhooks/clerk";
    const init = { method: "POST", headers: this.headersFor(message), body: message.body, redirect: "manual" } as const;
    try {
      const response =
        typeof this.endpoint === "string"
          ? await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) })
          : await this.endpoint(new Request(url, init));
      await response.arrayBuffer();
      return response.status;
    } catch {
      return null;
    }
  }

  #newSecret(): string {
    return `whsec_${Buffer.from(Array.from({ length: 24 }, () => Math.floor(this.#options.random() * 256))).toString("base64")}`;
  }

  #word(length: number): string {
    return Array.from({ length }, () => Math.floor(this.#options.random() * 36).toString(36)).join("");
  }
}
