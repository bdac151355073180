import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Identity } from "../identity.ts";
import { Problem, problems, retryAfter } from "../problem.ts";
import { unavailable } from "./shared.ts";

const receive = createRoute({
  method: "post",
  path: "/webhooks/clerk",
  summary: "Stores what Clerk sends, signed by Svix, and applies it afterwards.",
  responses: {
    200: {
      description: "Stored, or nothing to store: it need not be sent again.",
      content: {
        "application/json": { schema: z.object({ status: z.enum(["stored", "duplicate", "ignored"]) }) },
      },
    },
    ...problems({
      400: "The body is not complete.",
      401: "Not signed with the secret.",
      413: "The body is too large.",
    }),
    ...unavailable,
  },
});

export function webhookRoutes(app: OpenAPIHono, identity: Identity): void {
  // Not `openapi`: the signature is of the raw body, which nobody may have read before.
  app.openAPIRegistry.registerPath(receive);
  app.post(receive.path, async (context) => {
    const answer = await identity.webhook(context.req.raw);
    if (answer.ok) return answer;
    const { error } = (await answer.json()) as { readonly error: string };
    throw new Problem(answer.status, error, answer.status === 503 ? { headers: retryAfter } : {});
  });
}
