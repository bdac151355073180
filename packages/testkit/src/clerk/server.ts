import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { apiOf } from "./api.ts";
import { type EmulatorClock, realClock, seededRandom } from "./clock.ts";
import { Deliveries, type DeliveryFaults, type Endpoint } from "./deliveries.ts";
import { ClerkInstance } from "./instance.ts";
import { ClerkProblem } from "./problem.ts";
import { type RateLimit, RateLimiter, rateLimits } from "./rate-limit.ts";
import { type NewSession, Sessions } from "./sessions.ts";

export interface EmulatorOptions {
  /** Default: the machine's. */
  readonly clock?: EmulatorClock;
  /** Decides ids, secrets and faults. Default: 1. */
  readonly seed?: number;
  readonly environment?: "development" | "production";
  readonly instanceId?: string;
  readonly cascadeEvents?: boolean;
  readonly userLimit?: number;
  /** Default: that of the environment; null for none. */
  readonly rateLimit?: RateLimit | null;
  readonly endpoint?: Endpoint;
  readonly faults?: Partial<DeliveryFaults>;
  readonly timestampUnit?: "ms" | "s";
  /** Default: any that is free. */
  readonly port?: number;
}

/** A Clerk instance that the official client talks to, and that sends webhooks. */
export interface ClerkEmulator {
  /** For `createClerkClient({ apiUrl })`. */
  readonly apiUrl: string;
  readonly secretKey: string;
  readonly publishableKey: string;
  /** The public key that session tokens are verified with, in PEM: for `verifyToken({ jwtKey })`, which then asks nobody. */
  readonly jwtKey: string;
  readonly instance: ClerkInstance;
  readonly deliveries: Deliveries;
  /** `GET /v1/users?limit=500`, in the order in which they came; those that were refused for their number too. */
  readonly requests: { readonly method: string; readonly url: string; readonly status: number }[];
  /** Called before a request is answered: for changes in the middle of a listing, for outages (return a status). */
  onRequest: ((request: { readonly method: string; readonly url: string }) => Promise<number | void>) | null;
  /**
   * A session token, as a browser brings it.
   * @throws ClerkProblem when there is no such user or membership
   */
  mintSession(session: NewSession): string;
  /** May be called twice. */
  close(): Promise<void>;
}

/** Starts the emulator on 127.0.0.1. The caller closes it. */
export async function startClerk(options: EmulatorOptions = {}): Promise<ClerkEmulator> {
  const clock = options.clock ?? realClock;
  const random = seededRandom(options.seed ?? 1);
  const environment = options.environment ?? "development";
  const instance: ClerkInstance = new ClerkInstance({
    clock,
    random,
    environment,
    ...(options.instanceId === undefined ? {} : { instanceId: options.instanceId }),
    ...(options.cascadeEvents === undefined ? {} : { cascadeEvents: options.cascadeEvents }),
    ...(options.userLimit === undefined ? {} : { userLimit: options.userLimit }),
    onEvent: (event, occurredAt) => void deliveries.send(event, occurredAt),
  });
  const deliveries = new Deliveries({
    clock,
    random,
    instanceId: instance.id,
    endpoint: options.endpoint ?? null,
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.timestampUnit === undefined ? {} : { timestampUnit: options.timestampUnit }),
  });
  const limit = options.rateLimit === undefined ? rateLimits[environment] : options.rateLimit;
  const kind = environment === "production" ? "live" : "test";
  const word = (): string => Math.floor(random() * 2 ** 48).toString(36);
  const secretKey = `sk_${kind}_${word()}${word()}${word()}`;
  const limiter = limit === null ? null : new RateLimiter(limit, clock);
  const api = apiOf(instance);
  const server = createServer();
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const apiUrl = `http://127.0.0.1:${port}`;
  const sessions = new Sessions(instance, { random, issuer: apiUrl });
  const emulator: ClerkEmulator = {
    apiUrl,
    secretKey,
    publishableKey: `pk_${kind}_${Buffer.from(`127.0.0.1:${port}$`).toString("base64")}`,
    instance,
    deliveries,
    requests: [],
    onRequest: null,
    get jwtKey() {
      return sessions.jwtKey;
    },
    mintSession: (session) => sessions.mint(session),
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  server.on("request", (request, response) => {
    void reply({ request, response, state: emulator, limiter, api, secretKey });
  });
  return emulator;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly state: Pick<ClerkEmulator, "requests" | "onRequest">;
  readonly limiter: RateLimiter | null;
  readonly api: ReturnType<typeof apiOf>;
  readonly secretKey: string;
}

async function reply({ request, response, state, limiter, api, secretKey }: Exchange): Promise<void> {
  const { method = "GET", url = "/" } = request;
  // Exactly this: with a charset behind it the official client does not parse the body.
  const headers: Record<string, string> = { "content-type": "application/json" };
  const send = (status: number, body: object): void => {
    state.requests.push({ method, url, status });
    response.writeHead(status, headers).end(JSON.stringify(body));
  };
  try {
    const body = await bodyOf(request);
    const failing = await state.onRequest?.({ method, url });
    if (typeof failing === "number") return send(failing, problem("internal_clerk_error", "Oops, an unexpected error"));
    if (request.headers.authorization !== `Bearer ${secretKey}`) {
      return send(401, problem("clerk_key_invalid", "The provided Clerk Secret Key is invalid."));
    }
    const wait = limiter?.refuse() ?? null;
    if (wait !== null) {
      headers["retry-after"] = String(wait);
      return send(429, problem("too_many_requests", "Too many requests. Please try again in a bit."));
    }
    const { pathname, searchParams } = new URL(url, "http://localhost");
    if (!pathname.startsWith("/v1/")) return send(404, problem("resource_not_found", "not found"));
    send(200, api({ method, path: pathname.slice(3), query: searchParams, body }));
  } catch (error) {
    if (!(error instanceof ClerkProblem)) throw error;
    send(error.status, { errors: error.errors, clerk_trace_id: "trace_emulated" });
  }
}

function problem(code: string, message: string): object {
  return { errors: [{ code, message, long_message: message }], clerk_trace_id: "trace_emulated" };
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
