import { setTimeout as wait } from "node:timers/promises";
import { messageOf, ReplantError } from "@replant/core";
import type { Json } from "../model/objects.ts";

/** A pause before a request is made again. */
export interface Wait {
  /** `GET /v1/users` */
  readonly request: string;
  readonly ms: number;
  /** Clerk's rate limit, or an answer that did not come. */
  readonly because: "limit" | "failure";
}

export interface ApiOptions {
  /** `sk_test_...`; that of a production instance is refused. */
  readonly secretKey: string;
  /** Default: https://api.clerk.com */
  readonly apiUrl?: string;
  /** Ends every request and every wait. What it was aborted with is thrown. */
  readonly signal?: AbortSignal;
  readonly onWait?: (wait: Wait) => void;
  /** Default: the machine's clock. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** For one answer, to its last byte. Default: 30,000. */
  readonly timeoutMs?: number;
}

export interface ApiRequest {
  readonly method?: "GET" | "POST";
  /** Without the version: `/users`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly body?: Json;
  /** Statuses besides 2xx that are an answer. */
  readonly accept?: readonly number[];
}

export interface ApiReply {
  readonly request: string;
  readonly status: number;
  readonly body: Json;
  /** When it was made by Clerk's clock, ms, cut to the second; null where it does not say. */
  readonly date: number | null;
  readonly trace: string | null;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What the official client of this package's tests sends; they hold the two against each other. */
const apiVersion = "2026-05-12";

const retriesMax = 3;
const firstBackoffMs = 500;
/** Where a refusal does not say how long: the length of Clerk's window. */
const windowMs = 10_000;

/**
 * Requests to Clerk's Backend API. Made with fetch: the official client doubles the listing of users, does not read a reply whose
 * type has a charset, and keeps the headers to itself.
 */
export class ClerkApi {
  readonly #options: ApiOptions;
  readonly #base: string;

  /** @throws ReplantError REPLANT_IDENTITY_PRODUCTION | REPLANT_IDENTITY_KEY for what is no key | REPLANT_IDENTITY_PROVIDER for what is no address */
  constructor(options: ApiOptions) {
    const { apiUrl = "https://api.clerk.com" } = options;
    this.#options = { ...options, secretKey: checkedKey(options.secretKey) };
    if (!/^https?:/.test(apiUrl) || !URL.canParse(apiUrl)) {
      throw new ReplantError("REPLANT_IDENTITY_PROVIDER", "the address of Clerk's API cannot be read", {
        hint: "set CLERK_API_URL to an http address, or leave it out",
      });
    }
    this.#base = `${apiUrl.replace(/\/+$/, "")}/v1`;
  }

  /**
   * The answer to one request. A rate limit is waited for however often it comes; failures of the server or of the network are
   * tried again three times.
   * @throws ReplantError REPLANT_IDENTITY_PROVIDER
   */
  async send(request: ApiRequest): Promise<ApiReply> {
    for (let failures = 0; ;) {
      const answer = await this.#try(request);
      if (!(answer instanceof Error) && answer.status === 429) {
        await this.#wait({ request: nameOf(request), ms: retryAfter(answer) ?? windowMs, because: "limit" });
      } else if (answer instanceof Error || answer.status >= 500) {
        if (failures === retriesMax) throw this.#failed(request, answer);
        const asked = answer instanceof Error ? null : retryAfter(answer);
        const ms = asked ?? firstBackoffMs * 2 ** failures;
        failures += 1;
        await this.#wait({ request: nameOf(request), ms, because: "failure" });
      } else {
        return this.#read(request, answer);
      }
    }
  }

  async #try({ method = "GET", path, query = {}, body }: ApiRequest): Promise<Answer | Error> {
    const { secretKey, signal, timeoutMs = 30_000 } = this.#options;
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([name, value]) =>
        (typeof value === "object" ? value : [value]).map((one): [string, string] => [name, String(one)]),
      ),
    );
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${this.#base}${path}${search.size === 0 ? "" : `?${search.toString()}`}`, {
        method,
        headers: {
          authorization: `Bearer ${secretKey}`,
          "clerk-api-version": apiVersion,
          "content-type": "application/json",
          "user-agent": "replant",
        },
        // A key follows no redirection.
        redirect: "manual",
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      signal?.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #wait(pause: Wait): Promise<void> {
    const { onWait, sleep = sleepFor, signal } = this.#options;
    onWait?.(pause);
    try {
      await sleep(pause.ms, signal);
    } finally {
      signal?.throwIfAborted();
    }
  }

  #read(request: ApiRequest, answer: Answer): ApiReply {
    const { status, headers, text } = answer;
    const success = status >= 200 && status < 300;
    if (!success && !(request.accept ?? []).includes(status)) throw this.#failed(request, answer);
    const reply = { request: nameOf(request), status, trace: traceOf(answer) };
    // A proxy's page is no empty list.
    if (!/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) {
      throw unexpected(reply, "the reply is not JSON");
    }
    const body = parsed(text);
    if (body === undefined) throw unexpected(reply, "the reply is not JSON");
    const date = Date.parse(headers.get("date") ?? "");
    return { ...reply, body, date: Number.isNaN(date) ? null : date };
  }

  #failed(request: ApiRequest, answer: Answer | Error): ReplantError {
    const name = nameOf(request);
    if (answer instanceof Error) {
      const { cause } = answer;
      const why = cause instanceof Error ? `${messageOf(answer)}: ${messageOf(cause)}` : messageOf(answer);
      return new ReplantError("REPLANT_IDENTITY_OFFLINE", `${name}: Clerk cannot be reached`, {
        why: this.#safe(why),
        hint: "try again; look at the network and at CLERK_API_URL",
      });
    }
    const { status } = answer;
    const trace = traceOf(answer);
    return new ReplantError(
      "REPLANT_IDENTITY_PROVIDER",
      status === 401 ? `${name}: Clerk does not know the secret key (401)` : `${name}: Clerk answers ${status}`,
      {
        why: this.#safe(wordsOf(parsed(answer.text))),
        ...(trace === null ? {} : { items: [this.#safe(`trace id ${trace}`)] }),
        ...(status === 401
          ? { hint: "set CLERK_SECRET_KEY to the secret key of a development instance, which begins with sk_test_" }
          : {}),
      },
    );
  }

  #safe(text: string): string {
    return text.replaceAll(this.#options.secretKey, "***");
  }
}

/** A reply that has not the shape of an answer to its request. */
export function unexpected(
  { request, status, trace }: Pick<ApiReply, "request" | "status" | "trace">,
  why: string,
): ReplantError {
  return new ReplantError("REPLANT_IDENTITY_PROVIDER", `${request}: Clerk's answer (${status}) cannot be read`, {
    why,
    ...(trace === null ? {} : { items: [`trace id ${trace}`] }),
    hint: "is CLERK_API_URL the address of Clerk's Backend API?",
  });
}

function checkedKey(given: string): string {
  const key = given.trim();
  if (/^(sk_)?live_/.test(key)) {
    throw new ReplantError("REPLANT_IDENTITY_PRODUCTION", "CLERK_SECRET_KEY is the key of a production instance", {
      state: "nothing was asked for or written",
      hint: "use the key of a development instance, which begins with sk_test_",
    });
  }
  // What no header can carry would be quoted in fetch's own error.
  if (!/^(sk_)?test_[!-~]+$/.test(key)) {
    throw new ReplantError("REPLANT_IDENTITY_KEY", "CLERK_SECRET_KEY is not a secret key of Clerk", {
      hint: "set it to the secret key of a development instance, which begins with sk_test_",
    });
  }
  return key;
}

function nameOf({ method = "GET", path }: ApiRequest): string {
  return `${method} /v1${path}`;
}

/** What Retry-After says, ms: seconds, or a date. */
function retryAfter({ headers }: Answer): number | null {
  const value = headers.get("retry-after");
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const [until, now] = [Date.parse(value), Date.parse(headers.get("date") ?? "")];
  return Number.isNaN(until) || Number.isNaN(now) ? null : Math.max(0, until - now);
}

/** Clerk's own words of what it refuses. */
export function wordsOf(body: Json | undefined): string {
  const errors = isObject(body) ? body["errors"] : undefined;
  const words = (Array.isArray(errors) ? (errors as readonly Json[]).filter(isObject) : []).map((error) => {
    const [text, code] = [error["long_message"] ?? error["message"], error["code"]];
    return `${typeof text === "string" ? text : "no words"} (${typeof code === "string" ? code : "no code"})`;
  });
  return words.length === 0 ? "it does not say why" : words.join("; ").slice(0, 500);
}

function traceOf({ headers, text }: Answer): string | null {
  const body = parsed(text);
  const trace = isObject(body) ? body["clerk_trace_id"] : undefined;
  return typeof trace === "string" ? trace : headers.get("cf-ray");
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function sleepFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await wait(ms, undefined, signal === undefined ? {} : { signal });
}
