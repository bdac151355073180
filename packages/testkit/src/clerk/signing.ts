import { Webhook } from "svix";
import type { EmulatorClock } from "./clock.ts";

/** How long the secret before the last rotation still signs. */
const overlapMs = 24 * 3_600_000;

/** The secrets of an endpoint: the current one, and those that were rotated away within the last day. */
export class SigningSecrets {
  readonly #clock: EmulatorClock;
  readonly #random: () => number;
  #secrets: readonly { readonly secret: string; readonly until: number }[];

  constructor({ clock, random }: { readonly clock: EmulatorClock; readonly random: () => number }) {
    this.#clock = clock;
    this.#random = random;
    this.#secrets = [{ secret: this.#made(), until: Infinity }];
  }

  /** `whsec_...` */
  get current(): string {
    return this.#secrets[0]?.secret ?? "";
  }

  rotate(): string {
    const until = this.#clock.now() + overlapMs;
    this.#secrets = [
      { secret: this.#made(), until: Infinity },
      ...this.#secrets.map((old) => ({ ...old, until: Math.min(old.until, until) })),
    ];
    return this.current;
  }

  /** The headers of one attempt. The time in them is the machine's, because receivers compare it with theirs. */
  headersFor({ id, body }: { readonly id: string; readonly body: string }): Record<string, string> {
    const now = new Date();
    const valid = this.#secrets.filter(({ until }) => until > this.#clock.now());
    return {
      "content-type": "application/json",
      "svix-id": id,
      "svix-timestamp": String(Math.floor(now.getTime() / 1000)),
      "svix-signature": valid.map(({ secret }) => new Webhook(secret).sign(id, now, body)).join(" "),
    };
  }

  #made(): string {
    return `whsec_${Buffer.from(Array.from({ length: 24 }, () => Math.floor(this.#random() * 256))).toString("base64")}`;
  }
}
