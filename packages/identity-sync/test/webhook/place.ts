import { Webhook } from "svix";
import type { WebhookOptions } from "../../src/webhook/index.ts";
import { createWebhookHandler } from "../../src/webhook/index.ts";
import { readEvent } from "../../src/clerk/index.ts";
import { MemoryStore } from "../memory-store.ts";

export const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
export const otherSecret = `whsec_${Buffer.alloc(24, 8).toString("base64")}`;

export const userBody = JSON.stringify({
  type: "user.created",
  object: "event",
  instance_id: "ins_1",
  timestamp: 1_700_000_000_000,
  data: {
    id: "user_1",
    email_addresses: [{ id: "idn_1", email_address: "zo\u00eb@example.com" }],
    primary_email_address_id: "idn_1",
    first_name: "Zo\u00eb \u{1f331}",
    created_at: 1_700_000_000_000,
    updated_at: 1_700_000_000_000,
  },
});

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly secret: string;
  /** Seconds from now. */
  readonly at: number;
  readonly names: "svix" | "webhook";
}

/** The headers of a message as Svix signs it. */
export function signedHeaders(message: Partial<Message> = {}): Record<string, string> {
  const { id, body, secret: by, at, names } = complete(message);
  const time = new Date(Date.now() + at * 1000);
  return {
    "content-type": "application/json",
    [`${names}-id`]: id,
    [`${names}-timestamp`]: String(Math.floor(time.getTime() / 1000)),
    [`${names}-signature`]: new Webhook(by).sign(id, time, body),
  };
}

export function signedRequest(message: Partial<Message> = {}): Request {
  return post(complete(message).body, signedHeaders(message));
}

export type Sent = string | Uint8Array<ArrayBuffer> | ReadableStream;

export function post(body: Sent, headers: Record<string, string>): Request {
  return new Request("http://localhost/webhooks/clerk", {
    method: "POST",
    headers,
    body,
    duplex: "half",
  });
}

function complete(message: Partial<Message>): Message {
  return { id: "msg_1", body: userBody, secret, at: 0, names: "svix", ...message };
}

export function webhookPlace(options: Partial<WebhookOptions> = {}) {
  const store = new MemoryStore();
  const warnings: string[] = [];
  const handler = createWebhookHandler({
    secrets: () => [secret],
    store,
    readEvent,
    warn: (message) => void warnings.push(message),
    ...options,
  });
  return { handler, store, warnings, stored: () => [...store.state.inbox.keys()] };
}
