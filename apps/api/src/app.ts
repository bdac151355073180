import { OpenAPIHono } from "@hono/zod-openapi";
import { messageOf } from "@replant/core";
import { HTTPException } from "hono/http-exception";
import manifest from "../package.json" with { type: "json" };
import { type Auth, type MemberEnv, requireMember } from "./auth.ts";
import { Problem, problemResponse } from "./problem.ts";
import { healthRoutes, type HealthParts } from "./routes/health.ts";
import { promptRoutes } from "./routes/prompts.ts";
import { serviceRoutes } from "./routes/services.ts";
import { securityScheme } from "./routes/shared.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

export interface AppParts extends HealthParts {
  readonly auth: Auth;
}

/** The application, which listens to nothing by itself. The caller closes its parts. */
export function createApp({ auth, ...parts }: AppParts): OpenAPIHono {
  const app = new OpenAPIHono();
  const members = new OpenAPIHono<MemberEnv>({
    defaultHook: (result) => {
      if (!result.success) throw new Problem(400, result.error.issues.map(issueLine).join("; "));
    },
  });
  members.use("/organizations/*", requireMember({ auth, database: parts.database }));
  promptRoutes(members, parts.database);
  serviceRoutes(members, parts.database);
  healthRoutes(app, parts);
  webhookRoutes(app, parts.identity);
  app.route("/", members);
  app.openAPIRegistry.registerComponent("securitySchemes", securityScheme, {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
  });
  app.doc31("/openapi.json", { openapi: "3.1.0", info: { title: "Replant reference API", version: manifest.version } });
  app.notFound(() => problemResponse(new Problem(404, "there is no such path")));
  app.onError((error) => problemResponse(asProblem(error, parts.log)));
  return app;
}

function asProblem(error: Error, log: (message: string) => void): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) return new Problem(error.status, error.message);
  log(`unexpected: ${messageOf(error)}\n${error.stack ?? ""}`);
  return new Problem(500, "something unexpected happened");
}

function issueLine({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): string {
  return path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`;
}
