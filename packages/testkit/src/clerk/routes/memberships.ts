import { type Keys, Listings } from "../listing.ts";
import { notFound } from "../problem.ts";
import type { MembershipRecord } from "../records.ts";
import { list, mergedMetadata, missing, type Routes, wanted } from "./route.ts";

const keys: Keys<MembershipRecord> = { created_at: ({ createdAt }) => createdAt };

export const membershipRoutes: Routes = (instance) => {
  const version = (): number => instance.version;
  const everywhere = new Listings({ version, keys, find: () => [...instance.memberships.values()] });
  const paged = (listings: Listings<MembershipRecord>, query: URLSearchParams): object =>
    list(
      listings.page(query).map((item) => instance.membershipJson(item)),
      listings.all(query).length,
    );
  /** Of one user or organization: few enough to be looked up for every page. */
  const within = (parent: { readonly organizationId: string } | { readonly userId: string }) =>
    new Listings({
      version,
      keys,
      find: (query) => {
        const users = wanted(query, "user_id");
        const roles = wanted(query, "role");
        return instance
          .membershipsOf(parent)
          .filter(({ userId, role }) => (users?.has(userId) ?? true) && (roles?.has(role) ?? true));
      },
    });
  const member = (organizationId: string, userId: string): MembershipRecord => {
    instance.organization(organizationId);
    const found = instance.membershipOf(organizationId, userId);
    if (found === undefined) throw notFound("organization membership");
    return found;
  };
  return {
    "GET /organization_memberships": ({ query }) => paged(everywhere, query),
    "GET /organizations/*/memberships": ({ query }, organizationId = "") => {
      instance.organization(organizationId);
      return paged(within({ organizationId }), query);
    },
    "GET /users/*/organization_memberships": ({ query }, userId = "") => {
      instance.user(userId);
      return paged(within({ userId }), query);
    },
    "POST /organizations/*/memberships": ({ body: { user_id: userId, role } }, organizationId = "") => {
      if (typeof userId !== "string") throw missing("user_id");
      if (typeof role !== "string") throw missing("role");
      return instance.membershipJson(instance.createMembership({ organizationId, userId, role }));
    },
    "PATCH /organizations/*/memberships/*": ({ body: { role } }, organizationId = "", userId = "") => {
      if (typeof role !== "string") throw missing("role");
      return instance.membershipJson(instance.updateMembership(member(organizationId, userId).id, { role }));
    },
    "PATCH /organizations/*/memberships/*/metadata": ({ body }, organizationId = "", userId = "") => {
      const found = member(organizationId, userId);
      return instance.membershipJson(instance.updateMembership(found.id, mergedMetadata(found, body)));
    },
    "DELETE /organizations/*/memberships/*": (_, organizationId = "", userId = "") => {
      const found = member(organizationId, userId);
      const json = instance.membershipJson(found);
      instance.deleteMembership(found.id);
      return json;
    },
  };
};
