import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiRequest } from "./routes/route.ts";
import type { EmulatorClock } from "./clock.ts";
import { ClerkProblem } from "./problem.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** An answer of 500, a connection that is reset before anything is done, or one that ends in the middle of the answer to what was done. */
export type RequestFault = "500" | "reset" | "truncate";

/** What a test watches and turns while requests come. */
export interface RequestState {
  /**
   * `GET /v1/users?limit=500`, in the order in which they were answered; those that were refused for their number too. The
   * status is 0 where the connection was reset.
   */
  readonly requests: { readonly method: string; readonly url: string; readonly status: number }[];
  /** Called before a request is answered: for changes in the middle of a listing, for outages (return a status). */
  onRequest: ((request: { readonly method: string; readonly url: string }) => Promise<number | void>) | null;
  /** How long every answer takes at least, on the emulator's clock. */
  latencyMs: number;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly state: RequestState;
  /** What happens to the next requests; they take it away. */
  readonly faults: RequestFault[];
  readonly clock: EmulatorClock;
  readonly limiter: RateLimiter | null;
  readonly api: (request: ApiRequest) => object;
  readonly secretKey: string;
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one request, or fails as it was told to. */
export async function reply(exchange: Exchange): Promise<void> {
  const { request, response, state, faults, clock } = exchange;
  const { method = "GET", url = "/" } = request;
  const text = await textOf(request);
  if (text === null) return;
  if (state.latencyMs > 0) await clock.sleep(state.latencyMs);
  const failing = await state.onRequest?.({ method, url });
  const fault = faults.shift();
  if (fault === "reset") {
    state.requests.push({ method, url, status: 0 });
    request.socket.resetAndDestroy();
    return;
  }
  const status = typeof failing === "number" ? failing : fault === "500" ? 500 : null;
  const answer = status === null ? answerOf(exchange, text) : outage(status);
  state.requests.push({ method, url, status: answer.status });
  const body = Buffer.from(JSON.stringify(answer.body));
  response.writeHead(answer.status, {
    // Exactly this: with a charset behind it the official client does not parse the body.
    "content-type": "application/json",
    "content-length": body.length,
    ...answer.headers,
  });
  if (fault === "truncate") response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
  else response.end(body);
}

function answerOf({ request, limiter, api, secretKey }: Exchange, text: string): Answer {
  if (request.headers.authorization !== `Bearer ${secretKey}`) {
    return problem(401, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.");
  }
  const wait = limiter?.refuse() ?? null;
  if (wait !== null) {
    const refusal = problem(429, "too_many_requests", "Too many requests. Please try again in a bit.");
    return { ...refusal, headers: { "retry-after": String(wait) } };
  }
  const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
  if (!pathname.startsWith("/v1/")) return problem(404, "resource_not_found", "not found");
  try {
    const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: 200, body: api({ method: request.method ?? "GET", path: pathname.slice(3), query, body }) };
  } catch (error) {
    if (!(error instanceof ClerkProblem)) throw error;
    return { status: error.status, body: { errors: error.errors, clerk_trace_id: "trace_emulated" } };
  }
}

function outage(status: number): Answer {
  return problem(status, "internal_clerk_error", "Oops, an unexpected error");
}

function problem(status: number, code: string, message: string): Answer {
  return { status, body: { errors: [{ code, message, long_message: message }], clerk_trace_id: "trace_emulated" } };
}

/** Null when the client hangs up before it has said everything. */
async function textOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString("utf8");
}
