import type { InstanceJSON } from "@clerk/backend";
import type { ClerkInstance, NewUser } from "./instance.ts";
import { organizationJson, userJson } from "./json.ts";
import { ordered, slice } from "./listing.ts";
import { invalid, notFound } from "./problem.ts";
import type { MembershipRecord, Metadata, OrganizationRecord, UserRecord } from "./records.ts";

export interface ApiRequest {
  readonly method: string;
  /** Without the version: `/users/user_1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

type Route = (request: ApiRequest, ...ids: string[]) => object;

/**
 * The routes of the Backend API that the emulator has, as the official client calls them.
 * @throws ClerkProblem
 */
export function answer(instance: ClerkInstance, request: ApiRequest): object {
  for (const [pattern, route] of routes(instance)) {
    const [method, path = ""] = pattern.split(" ");
    const found =
      method === request.method ? new RegExp(`^${path.replaceAll("*", "([^/]+)")}$`).exec(request.path) : null;
    if (found !== null) return route(request, ...found.slice(1).map(decodeURIComponent));
  }
  throw notFound("route");
}

function routes(instance: ClerkInstance): [string, Route][] {
  return [...userRoutes(instance), ...organizationRoutes(instance), ...membershipRoutes(instance)];
}

function userRoutes(instance: ClerkInstance): [string, Route][] {
  const users = (query: URLSearchParams): UserRecord[] =>
    [...instance.users.values()].filter(
      (user) =>
        matches(query, "user_id", [user.id]) &&
        matches(query, "external_id", [user.externalId]) &&
        matches(query, "email_address", user.emails) &&
        matches(query, "username", [user.username]),
    );
  return [
    ["GET /users", ({ query }) => slice(ordered(users(query), query, userKeys), query).map(userJson)],
    ["GET /users/count", ({ query }) => ({ object: "total_count", total_count: users(query).length })],
    ["GET /users/*", (_, id = "") => userJson(instance.user(id))],
    ["POST /users", ({ body }) => userJson(instance.createUser(newUser(body)))],
    ["PATCH /users/*", ({ body }, id = "") => userJson(instance.updateUser(id, newUser(body)))],
    [
      "PATCH /users/*/metadata",
      ({ body }, id = "") => {
        const user = instance.user(id);
        const { publicMetadata, privateMetadata, unsafeMetadata } = newUser(body);
        return userJson(
          instance.updateUser(id, {
            publicMetadata: merged(user.publicMetadata, publicMetadata),
            privateMetadata: merged(user.privateMetadata, privateMetadata),
            unsafeMetadata: merged(user.unsafeMetadata, unsafeMetadata),
          }),
        );
      },
    ],
    [
      "DELETE /users/*",
      (_, id = "") => {
        instance.deleteUser(id);
        return { object: "user", id, deleted: true };
      },
    ],
    [
      "GET /instance",
      () => {
        const { id, environment } = instance;
        const json = { object: "instance", id, environment_type: environment, allowed_origins: null };
        return json satisfies Omit<InstanceJSON, "object">;
      },
    ],
  ];
}

function organizationRoutes(instance: ClerkInstance): [string, Route][] {
  const one = (organization: OrganizationRecord): object =>
    organizationJson(organization, instance.membershipsOf({ organizationId: organization.id }).length);
  return [
    [
      "GET /organizations",
      ({ query }) => {
        const found = [...instance.organizations.values()].filter(({ id }) => matches(query, "organization_id", [id]));
        const page = slice(ordered(found, query, organizationKeys), query);
        const counted = query.get("include_members_count") === "true";
        return list(page.map(counted ? one : (item) => organizationJson(item)), found.length);
      },
    ],
    [
      "GET /organizations/*",
      (_, id = "") => {
        const bySlug = [...instance.organizations.values()].find(({ slug }) => slug === id);
        return one(bySlug ?? instance.organization(id));
      },
    ],
    [
      "POST /organizations",
      ({ body }) => {
        if (typeof body["name"] !== "string") throw missing("name");
        const createdBy = typeof body["created_by"] === "string" ? body["created_by"] : null;
        return one(instance.createOrganization({ name: body["name"], ...organizationChange(body), createdBy }));
      },
    ],
    ["PATCH /organizations/*", ({ body }, id = "") => one(instance.updateOrganization(id, organizationChange(body)))],
    [
      "DELETE /organizations/*",
      (_, id = "") => {
        const { slug } = instance.organization(id);
        instance.deleteOrganization(id);
        return { object: "organization", id, slug, deleted: true };
      },
    ],
  ];
}

function membershipRoutes(instance: ClerkInstance): [string, Route][] {
  const paged = (found: readonly MembershipRecord[], query: URLSearchParams): object => {
    const page = slice(ordered(found, query, membershipKeys), query);
    return list(
      page.map((item) => instance.membershipJson(item)),
      found.length,
    );
  };
  const member = (organizationId: string, userId: string): MembershipRecord => {
    instance.organization(organizationId);
    const found = instance.membershipOf(organizationId, userId);
    if (found === undefined) throw notFound("organization membership");
    return found;
  };
  return [
    ["GET /organization_memberships", ({ query }) => paged([...instance.memberships.values()], query)],
    [
      "GET /organizations/*/memberships",
      ({ query }, organizationId = "") => {
        instance.organization(organizationId);
        const all = instance.membershipsOf({ organizationId });
        return paged(
          all.filter(({ userId, role }) => matches(query, "user_id", [userId]) && matches(query, "role", [role])),
          query,
        );
      },
    ],
    [
      "POST /organizations/*/memberships",
      ({ body: { user_id: userId, role } }, organizationId = "") => {
        if (typeof userId !== "string") throw missing("user_id");
        if (typeof role !== "string") throw missing("role");
        return instance.membershipJson(instance.createMembership({ organizationId, userId, role }));
      },
    ],
    [
      "PATCH /organizations/*/memberships/*",
      ({ body: { role } }, organizationId = "", userId = "") => {
        if (typeof role !== "string") throw missing("role");
        return instance.membershipJson(instance.updateMembership(member(organizationId, userId).id, { role }));
      },
    ],
    [
      "DELETE /organizations/*/memberships/*",
      (_, organizationId = "", userId = "") => {
        const found = member(organizationId, userId);
        const json = instance.membershipJson(found);
        instance.deleteMembership(found.id);
        return json;
      },
    ],
  ];
}

function list(data: readonly object[], total: number): object {
  return { data, total_count: total };
}

function missing(parameter: string) {
  return invalid(parameter, `${parameter} must be included.`, "form_param_missing");
}

/** At most 100 values of a filter; none of it lets everything through. */
function matches(query: URLSearchParams, name: string, values: readonly (string | null)[]): boolean {
  const wanted = query.getAll(name);
  if (wanted.length > 100) throw invalid(name, `at most 100 values of ${name} are allowed`);
  return wanted.length === 0 || values.some((value) => value !== null && wanted.includes(value));
}

function userKeys(user: UserRecord): Record<string, string | number | null> {
  return {
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    email_address: user.emails[0] ?? null,
    first_name: user.firstName,
    last_name: user.lastName,
    username: user.username,
    last_active_at: user.lastActiveAt,
  };
}

function organizationKeys({ createdAt, name }: OrganizationRecord): Record<string, string | number> {
  return { created_at: createdAt, name };
}

function membershipKeys({ createdAt }: MembershipRecord): Record<string, number> {
  return { created_at: createdAt };
}

const userFields = {
  first_name: "firstName",
  last_name: "lastName",
  username: "username",
  external_id: "externalId",
  email_address: "emails",
  public_metadata: "publicMetadata",
  private_metadata: "privateMetadata",
  unsafe_metadata: "unsafeMetadata",
  banned: "banned",
  locked: "locked",
} as const;

function newUser(body: ApiRequest["body"]): NewUser {
  const fields = Object.entries(userFields).flatMap(([name, field]) =>
    body[name] === undefined ? [] : [[field, body[name]] as const],
  );
  const created = typeof body["created_at"] === "string" ? { createdAt: Date.parse(body["created_at"]) } : {};
  return { ...(Object.fromEntries(fields) as NewUser), ...created };
}

function organizationChange(body: ApiRequest["body"]): Parameters<ClerkInstance["updateOrganization"]>[1] {
  const { name, slug, public_metadata: publicMetadata, private_metadata: privateMetadata } = body;
  return {
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof slug === "string" ? { slug } : {}),
    ...(isMetadata(publicMetadata) ? { publicMetadata } : {}),
    ...(isMetadata(privateMetadata) ? { privateMetadata } : {}),
  };
}

function isMetadata(value: unknown): value is Metadata {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A deep merge, in which null takes a key away. */
function merged(before: Metadata, change: Metadata | undefined): Metadata {
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(change ?? {})) {
    const old = result[key];
    if (value === null) delete result[key];
    else result[key] = isMetadata(value) ? merged(isMetadata(old) ? old : {}, value) : value;
  }
  return result;
}
