import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { apiOf } from "./api.ts";
import { type EmulatorClock, realClock, seededRandom } from "./clock.ts";
import { Deliveries, type DeliveryFaults } from "./deliveries.ts";
import type { Endpoint } from "./endpoint.ts";
import { ClerkInstance } from "./instance.ts";
import { type RateLimit, RateLimiter, rateLimits } from "./rate-limit.ts";
import { reply, type RequestFault, type RequestState } from "./reply.ts";
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
  /** How long every answer takes at least, on the emulator's clock. Default: 0. */
  readonly latencyMs?: number;
  /** Default: any that is free. */
  readonly port?: number;
}

/** A Clerk instance that the official client talks to, and that sends webhooks. */
export interface ClerkEmulator extends RequestState {
  /** For `createClerkClient({ apiUrl })`. */
  readonly apiUrl: string;
  readonly secretKey: string;
  readonly publishableKey: string;
  /** The public key that session tokens are verified with, in PEM: for `verifyToken({ jwtKey })`, which then asks nobody. */
  readonly jwtKey: string;
  readonly instance: ClerkInstance;
  readonly deliveries: Deliveries;
  /** Lets the next requests fail, after those that were to fail already. */
  failNext(count: number, how: RequestFault): void;
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
  const faults: RequestFault[] = [];
  const emulator: ClerkEmulator = {
    apiUrl,
    secretKey,
    publishableKey: `pk_${kind}_${Buffer.from(`127.0.0.1:${port}$`).toString("base64")}`,
    instance,
    deliveries,
    requests: [],
    onRequest: null,
    latencyMs: options.latencyMs ?? 0,
    failNext: (count, how) => void faults.push(...Array.from({ length: count }, () => how)),
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
    void reply({ request, response, state: emulator, faults, clock, limiter, api, secretKey });
  });
  return emulator;
}
