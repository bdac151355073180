import { STATUS_CODES } from "node:http";
import { z } from "@hono/zod-openapi";

/** An answer that is not what was asked for, thrown from anywhere within a request. */
export class Problem extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    { headers = {}, cause }: { readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    super(detail, { cause });
    this.status = status;
    this.headers = headers;
  }
}

/** The database is away for a moment, as in the middle of a reset. */
export class Unavailable extends Problem {
  constructor(cause: unknown) {
    super(503, "the database is not available: try again in a moment", { headers: retryAfter, cause });
  }
}

/** Seconds; a swap takes far less. */
export const retryAfter = { "retry-after": "1" };

/** RFC 9457. */
export const problemSchema = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
  })
  .openapi("Problem");

/** The problem document of an answer. */
export function problemResponse({ status, message, headers }: Problem): Response {
  const body: z.infer<typeof problemSchema> = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: message,
  };
  return Response.json(body, { status, headers: { ...headers, "content-type": "application/problem+json" } });
}

/** These answers of a route, for its description. */
export function problems<Status extends number>(
  descriptions: Readonly<Record<Status, string>>,
): Record<Status, { description: string; content: { "application/problem+json": { schema: typeof problemSchema } } }> {
  const content = { "application/problem+json": { schema: problemSchema } };
  const described = Object.entries<string>(descriptions).map(([status, description]) => [
    status,
    { description, content },
  ]);
  return Object.fromEntries(described) as ReturnType<typeof problems<Status>>;
}
