import type { InstanceJSON } from "@clerk/backend";
import type { ClerkInstance } from "./instance.ts";
import { notFound } from "./problem.ts";
import { membershipRoutes } from "./routes/memberships.ts";
import { organizationRoutes } from "./routes/organizations.ts";
import type { ApiRequest, Routes } from "./routes/route.ts";
import { userRoutes } from "./routes/users.ts";

const instanceRoutes: Routes = (instance) => ({
  "GET /instance": () => {
    const { id, environment } = instance;
    const json = { object: "instance", id, environment_type: environment, allowed_origins: null };
    return json satisfies Omit<InstanceJSON, "object">;
  },
});

/**
 * The routes of the Backend API that the emulator has, as the official client calls them. What they answer throws
 * ClerkProblem for what the API would refuse.
 */
export function apiOf(instance: ClerkInstance): (request: ApiRequest) => object {
  const routes = [userRoutes, organizationRoutes, membershipRoutes, instanceRoutes].flatMap((make) =>
    Object.entries(make(instance)).map(([pattern, route]) => ({
      pattern: new RegExp(`^${pattern.replaceAll("*", "([^/]+)")}$`),
      route,
    })),
  );
  return (request) => {
    for (const { pattern, route } of routes) {
      const found = pattern.exec(`${request.method} ${request.path}`);
      if (found !== null) return route(request, ...found.slice(1).map(decodeURIComponent));
    }
    throw notFound("route");
  };
}
