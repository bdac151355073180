import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { messageOf } from "@replant/core";
import { lastSwapAt } from "@replant/postgres/server";
import manifest from "../../package.json" with { type: "json" };
import type { Database } from "../database.ts";
import type { Identity } from "../identity.ts";
import { retryAfter, Unavailable } from "../problem.ts";

/** A message that waits longer than this says that nobody applies them any more. */
const inboxLagMaxSeconds = 60;

const healthSchema = z
  .object({
    status: z.enum(["ok", "unhealthy"]),
    version: z.string(),
    database: z.object({ ok: z.boolean(), latencyMs: z.number().nullable() }),
    inbox: z
      .object({
        pending: z.int(),
        parked: z.int().openapi({ description: "Memberships that wait for their user or their organization." }),
        dead: z.int().openapi({ description: "Messages that failed, and wait for a person." }),
        oldestPendingSeconds: z.number().nullable(),
      })
      .nullable(),
    lastReset: z.iso.datetime().nullable().openapi({
      description: "When the database was swapped in; null when it never was, or when nobody knows.",
    }),
  })
  .openapi("Health");

type Health = z.infer<typeof healthSchema>;

const content = { "application/json": { schema: healthSchema } };

const health = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Whether the application can work.",
  responses: {
    200: { description: "It can.", content },
    503: { description: "The database does not answer, or messages of Clerk wait for too long.", content },
  },
});

export interface HealthParts {
  readonly database: Database;
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hears of what nobody is told in an answer. */
  readonly log: (message: string) => void;
}

export function healthRoutes(app: OpenAPIHono, parts: HealthParts): void {
  app.openapi(health, async (context) => {
    const found = await look(parts);
    return found.status === "ok" ? context.json(found, 200) : context.json(found, 503, retryAfter);
  });
}

async function look({ database, identity, now, log }: HealthParts): Promise<Health> {
  const unknown = (error: unknown): null => {
    log(`not healthy: ${messageOf(error instanceof Unavailable ? error.cause : error)}`);
    return null;
  };
  const [latencyMs, inbox, lastReset] = await Promise.all([
    latencyOf(database, now).catch(unknown),
    inboxOf(identity, now).catch(unknown),
    lastSwapAt(database).catch(unknown),
  ]);
  const inTime = inbox !== null && (inbox.oldestPendingSeconds ?? 0) <= inboxLagMaxSeconds;
  return {
    status: latencyMs !== null && inTime ? "ok" : "unhealthy",
    version: manifest.version,
    database: { ok: latencyMs !== null, latencyMs },
    inbox,
    lastReset,
  };
}

async function latencyOf(database: Database, now: () => number): Promise<number> {
  const start = now();
  await database.query("select 1");
  return now() - start;
}

async function inboxOf(identity: Identity, now: () => number): Promise<NonNullable<Health["inbox"]>> {
  const { oldestPendingAt, ...counts } = await identity.counts();
  // The database's clock may be ahead of ours.
  return {
    ...counts,
    oldestPendingSeconds: oldestPendingAt === null ? null : Math.max(0, (now() - oldestPendingAt) / 1000),
  };
}
