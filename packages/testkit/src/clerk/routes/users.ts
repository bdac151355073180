import type { NewUser } from "../instance.ts";
import { userJson } from "../json.ts";
import { type Keys, Listings } from "../listing.ts";
import type { UserRecord } from "../records.ts";
import { type ApiRequest, mergedMetadata, metadataOf, moment, type Routes, wanted } from "./route.ts";

export const userRoutes: Routes = (instance) => {
  const users = new Listings({ version: () => instance.version, keys, find: (query) => found(query) });
  const found = (query: URLSearchParams): UserRecord[] => {
    const ids = wanted(query, "user_id");
    const all = ids === null ? [...instance.users.values()] : [...ids].flatMap((id) => instance.users.get(id) ?? []);
    const organizations = wanted(query, "organization_id");
    const members =
      organizations === null
        ? null
        : new Set(
            [...organizations].flatMap((organizationId) =>
              instance.membershipsOf({ organizationId }).map(({ userId }) => userId),
            ),
          );
    const fits = filters(query);
    return all.filter((user) => (members?.has(user.id) ?? true) && fits(user));
  };
  return {
    "GET /users": ({ query }) => users.page(query).map(userJson),
    "GET /users/count": ({ query }) => ({ object: "total_count", total_count: users.all(query).length }),
    "GET /users/*": (_, id = "") => userJson(instance.user(id)),
    "POST /users": ({ body }) => userJson(instance.createUser(newUser(body))),
    "PATCH /users/*": ({ body }, id = "") => userJson(instance.updateUser(id, newUser(body))),
    "PATCH /users/*/metadata": ({ body }, id = "") =>
      userJson(instance.updateUser(id, mergedMetadata(instance.user(id), body))),
    "PUT /users/*/metadata": ({ body }, id = "") => userJson(instance.updateUser(id, metadataOf(body))),
    "POST /users/*/ban": (_, id = "") => userJson(instance.updateUser(id, { banned: true })),
    "POST /users/*/unban": (_, id = "") => userJson(instance.updateUser(id, { banned: false })),
    "POST /users/*/lock": (_, id = "") => userJson(instance.updateUser(id, { locked: true })),
    "POST /users/*/unlock": (_, id = "") => userJson(instance.updateUser(id, { locked: false })),
    "DELETE /users/*": (_, id = "") => {
      instance.deleteUser(id);
      return { object: "user", id, deleted: true };
    },
  };
};

const keys: Keys<UserRecord> = {
  created_at: ({ createdAt }) => createdAt,
  updated_at: ({ updatedAt }) => updatedAt,
  email_address: ({ emails }) => emails[0] ?? null,
  first_name: ({ firstName }) => firstName,
  last_name: ({ lastName }) => lastName,
  username: ({ username }) => username,
  last_active_at: ({ lastActiveAt }) => lastActiveAt,
};

/** What the filters of a query let through, but for those that start from other objects. */
function filters(query: URLSearchParams): (user: UserRecord) => boolean {
  const emails = lowered(wanted(query, "email_address"));
  const usernames = lowered(wanted(query, "username"));
  const externalIds = wanted(query, "external_id");
  const after = moment(query, "created_at_after") ?? -Infinity;
  const before = moment(query, "created_at_before") ?? Infinity;
  return (user) =>
    user.createdAt > after &&
    user.createdAt < before &&
    (emails === null || user.emails.some((email) => emails.has(email.toLowerCase()))) &&
    (usernames === null || usernames.has(user.username?.toLowerCase() ?? "")) &&
    (externalIds === null || externalIds.has(user.externalId ?? ""));
}

function lowered(values: ReadonlySet<string> | null): ReadonlySet<string> | null {
  return values === null ? null : new Set([...values].map((value) => value.toLowerCase()));
}

const fields = {
  first_name: "firstName",
  last_name: "lastName",
  username: "username",
  external_id: "externalId",
  email_address: "emails",
  banned: "banned",
  locked: "locked",
} as const;

function newUser(body: ApiRequest["body"]): NewUser {
  const found = Object.entries(fields).flatMap(([name, field]) =>
    body[name] === undefined ? [] : [[field, body[name]] as const],
  );
  const created = typeof body["created_at"] === "string" ? { createdAt: Date.parse(body["created_at"]) } : {};
  return { ...(Object.fromEntries(found) as NewUser), ...metadataOf(body), ...created };
}
