import { messageOf } from "@replant/core";
import type { ProviderEvent } from "../model/objects.ts";
import type { Inbox } from "../ports/inbox.ts";
import { readBody } from "./body.ts";
import { isSigned, signedHeaders } from "./signature.ts";

/** A fetch function: Next's route handlers, Hono and service workers take it as it is, `toNodeListener` makes it one of node:http. */
export type WebhookHandler = (request: Request) => Promise<Response>;

export interface WebhookStore {
  readonly inbox: Pick<Inbox, "receive">;
  /** The instance that the database belongs to, asked for with every message; null: none yet. */
  readonly instance?: () => Promise<string | null>;
}

export interface WebhookOptions {
  /** All that are valid now: two while one replaces the other. */
  readonly secrets: () => readonly string[];
  readonly store: WebhookStore;
  /** What a body says. May throw: such a message is stored all the same, and fails where everybody looks, in the inbox. */
  readonly readEvent: (body: string) => ProviderEvent;
  /** Called for every new message after it is stored, for applying it. Nobody waits for it, and its failure is only a warning. */
  readonly onAccepted?: (accepted: { readonly id: string; readonly type: string }) => Promise<void> | void;
  /** Hears of what somebody should look at. */
  readonly warn?: (message: string) => void;
}

/** How long the sender shall wait after a failure of the store. */
const retryAfterSeconds = 30;

/**
 * Receives what Svix sends: checks the signature of the raw body, stores the message, and only then says 200. Messages that are
 * there already, of unknown types, or of another instance get 200 too, since sending them again would change nothing.
 *
 * 401 without a reason for what is not signed; 405, 413 and 400 for what is no message; 503 when the store fails, so that the
 * sender tries again. Never throws.
 */
export function createWebhookHandler(options: WebhookOptions): WebhookHandler {
  const { store } = options;
  const warn = carefully(options.warn);
  return async (request) => {
    if (request.method !== "POST") return answer(405, { error: "only POST" }, { allow: "POST" });
    const body = await readBody(request);
    if (body === "used") return usedBody(warn);
    if (body === "large") return answer(413, { error: "too large" });
    if (body === "broken") return answer(400, { error: "incomplete" });
    const signed = signedHeaders(request.headers);
    const text = decoded(body);
    if (signed === null || text === null || !isSigned(text, signed, validSecrets(options.secrets, warn))) {
      return answer(401, { error: "not verified" });
    }
    const { id } = signed;
    const event = eventOf(options.readEvent, text, (why) => warn(`message ${id} cannot be read: ${why}`));
    try {
      const instance = (await store.instance?.()) ?? null;
      if (instance !== null && event.instance !== null && event.instance !== instance) {
        warn(`message ${id} is of instance ${event.instance}, the database belongs to ${instance}: it is not stored`);
        return answer(200, { status: "ignored" });
      }
      const isNew = await store.inbox.receive({ id, body: text, verified: true, event });
      if (!isNew) return answer(200, { status: "duplicate" });
    } catch (error) {
      warn(`message ${id} cannot be stored: ${messageOf(error)}`);
      return answer(503, { error: "not stored" }, { "retry-after": String(retryAfterSeconds) });
    }
    void start(options.onAccepted, { id, type: event.type }, warn);
    return answer(200, { status: "stored" });
  };
}

/** The answer to a request whose body somebody else has read. */
export function usedBody(warn: (message: string) => void): Response {
  const error =
    "the body was read before the webhook handler: mount the handler before body parsers such as express.json()";
  warn(error);
  return answer(400, { error });
}

/** What a person hands over must not make a message fail. */
export function carefully(warn: WebhookOptions["warn"]): (message: string) => void {
  return (message) => {
    try {
      warn?.(message);
    } catch {
      // There is nobody left to tell.
    }
  };
}

function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}

/** Exactly the text that these bytes are, or null: a sign that is left out or replaced would not have been signed. */
function decoded(body: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}

function validSecrets(secrets: WebhookOptions["secrets"], warn: (message: string) => void): readonly string[] {
  try {
    const all = secrets();
    if (all.length === 0) warn("there is no webhook secret: no message can be verified");
    return all;
  } catch (error) {
    warn(`the webhook secrets cannot be read: ${messageOf(error)}`);
    return [];
  }
}

function eventOf(read: WebhookOptions["readEvent"], body: string, failed: (why: string) => void): ProviderEvent {
  try {
    return read(body);
  } catch (error) {
    failed(messageOf(error));
    return { type: "unreadable", occurredAt: null, instance: null, subject: null, change: null };
  }
}

async function start(
  onAccepted: WebhookOptions["onAccepted"],
  accepted: { readonly id: string; readonly type: string },
  warn: (message: string) => void,
): Promise<void> {
  // The answer goes first.
  await Promise.resolve();
  try {
    await onAccepted?.(accepted);
  } catch (error) {
    warn(`message ${accepted.id} is stored and not applied yet: ${messageOf(error)}`);
  }
}
