import type { ClerkInstance } from "../instance.ts";
import { organizationJson } from "../json.ts";
import { Listings } from "../listing.ts";
import type { OrganizationRecord } from "../records.ts";
import { type ApiRequest, list, mergedMetadata, metadataOf, missing, type Routes, wanted } from "./route.ts";

export const organizationRoutes: Routes = (instance) => {
  const members = ({ id }: OrganizationRecord): number => instance.membersCount(id);
  const one = (organization: OrganizationRecord): object => organizationJson(organization, members(organization));
  const organizations = new Listings<OrganizationRecord>({
    version: () => instance.version,
    keys: { created_at: ({ createdAt }) => createdAt, name: ({ name }) => name, members_count: members },
    find: (query) => {
      const ids = wanted(query, "organization_id");
      const all = [...instance.organizations.values()];
      return ids === null ? all : all.filter(({ id }) => ids.has(id));
    },
  });
  return {
    "GET /organizations": ({ query }) => {
      const counted = query.get("include_members_count") === "true";
      const page = organizations.page(query).map((item) => (counted ? one(item) : organizationJson(item)));
      return list(page, organizations.all(query).length);
    },
    "GET /organizations/*": (_, id = "") => {
      const bySlug = [...instance.organizations.values()].find(({ slug }) => slug === id);
      return one(bySlug ?? instance.organization(id));
    },
    "POST /organizations": ({ body }) => {
      if (typeof body["name"] !== "string") throw missing("name");
      const createdBy = typeof body["created_by"] === "string" ? body["created_by"] : null;
      return one(instance.createOrganization({ name: body["name"], ...changeOf(body), createdBy }));
    },
    "PATCH /organizations/*": ({ body }, id = "") => one(instance.updateOrganization(id, changeOf(body))),
    "PATCH /organizations/*/metadata": ({ body }, id = "") =>
      one(instance.updateOrganization(id, mergedMetadata(instance.organization(id), body))),
    "PUT /organizations/*/metadata": ({ body }, id = "") => one(instance.updateOrganization(id, metadataOf(body))),
    "DELETE /organizations/*": (_, id = "") => {
      const { slug } = instance.organization(id);
      instance.deleteOrganization(id);
      return { object: "organization", id, slug, deleted: true };
    },
  };
};

function changeOf(body: ApiRequest["body"]): Parameters<ClerkInstance["updateOrganization"]>[1] {
  const { name, slug } = body;
  return {
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof slug === "string" ? { slug } : {}),
    ...metadataOf(body),
  };
}
