import { ReplantError } from "@replant/core";
import type { Json, Kind, ProviderObject } from "../model/objects.ts";
import type { IdentityProvider, ProviderInstance, QuickLook, Reference, WantedUser } from "../ports/provider.ts";
import { readEvent, readObject } from "./normalize.ts";
import type { RawObject } from "./pages.ts";
import { listOf, offsetPage, pageMax, userPage, usersOf } from "./pages.ts";
import type { ApiOptions } from "./request.ts";
import { ClerkApi, isObject, unexpected, wordsOf } from "./request.ts";

export type ClerkOptions = ApiOptions;

/** Ids in one filter. */
const filterMax = 100;

/**
 * A development instance of Clerk. A full listing of N users, M organizations and K memberships takes N/500 + M/500 + K/500
 * requests, each rounded up, and at most one more per kind.
 * @throws ReplantError REPLANT_IDENTITY_PRODUCTION for the key of a production instance, before anything is asked for |
 * REPLANT_IDENTITY_KEY for what is no key
 */
export function clerkProvider(options: ClerkOptions): IdentityProvider {
  const api = new ClerkApi(options);
  return {
    name: "clerk",
    capabilities: { cursor: true, instanceWideMemberships: true, orderedEvents: false, deletesVisible: true },
    instance: () => instanceOf(api),
    list: (kind, after) => (kind === "user" ? userPage(api, after) : offsetPage(api, kind, after)),
    find: (kind, references) => find(api, kind, references),
    look: () => look(api),
    usersByEmail: (emails) => usersByEmail(api, emails),
    usersByExternalId: (ids) => usersByExternalId(api, ids),
    organizationsBySlug: (slugs) => organizationsBySlug(api, slugs),
    ensureUser: (wanted) => ensureUser(api, wanted),
    readEvent,
  };
}

async function instanceOf(api: ClerkApi): Promise<ProviderInstance> {
  const reply = await api.send({ path: "/instance" });
  const { id, environment_type: environment } = isObject(reply.body) ? reply.body : {};
  if (typeof id !== "string" || (environment !== "development" && environment !== "production")) {
    throw unexpected(reply, "it has no id or no environment_type");
  }
  if (reply.date === null) throw unexpected(reply, "it has no Date, and Clerk's clock decides which events are old");
  return { id, environment, now: reply.date };
}

async function find(api: ClerkApi, kind: Kind, references: readonly Reference[]): Promise<ProviderObject[]> {
  if (kind === "membership") return findMemberships(api, references);
  const found: ProviderObject[] = [];
  for (const ids of chunks(references.map(({ id }) => id))) {
    const raw =
      kind === "user" ? await usersOf(api, { limit: filterMax, user_id: ids }) : await organizationsOf(api, ids);
    found.push(...raw.map((object) => readObject(kind, object)));
  }
  return wantedOf(found, references);
}

async function organizationsOf(api: ClerkApi, ids: readonly string[]): Promise<readonly RawObject[]> {
  const query = { limit: filterMax, organization_id: ids };
  return listOf(await api.send({ path: "/organizations", query })).objects;
}

/** They are not found by their own ids: the members are asked for, organization by organization. */
async function findMemberships(api: ClerkApi, references: readonly Reference[]): Promise<ProviderObject[]> {
  const byOrganization = Map.groupBy(references, ({ id, joins }) => {
    if (joins === null) throw new Error(`membership ${id} joins nothing`);
    return joins.organization;
  });
  const found: ProviderObject[] = [];
  for (const [organization, group] of byOrganization) {
    for (const users of chunks(group.flatMap(({ joins }) => joins?.user ?? []))) {
      const path = `/organizations/${encodeURIComponent(organization)}/memberships`;
      const reply = await api.send({ path, query: { limit: filterMax, user_id: users }, accept: [404] });
      if (reply.status !== 404) {
        found.push(...listOf(reply).objects.map((object) => readObject("membership", object)));
        continue;
      }
      // Many things answer 404. That the organization has gone is true only where Clerk says so itself.
      if ((await organizationsOf(api, [organization])).length > 0) throw unexpected(reply, "the organization is there");
      break;
    }
  }
  return wantedOf(found, references);
}

function wantedOf(found: readonly ProviderObject[], references: readonly Reference[]): ProviderObject[] {
  const wanted = new Set(references.map(({ id }) => id));
  return found.filter(({ id }) => wanted.has(id));
}

async function look(api: ClerkApi): Promise<QuickLook> {
  const one = { limit: 1 };
  const [counted, newest, organizations, memberships] = await Promise.all([
    api.send({ path: "/users/count" }),
    usersOf(api, { ...one, order_by: "-updated_at" }),
    api.send({ path: "/organizations", query: one }),
    api.send({ path: "/organization_memberships", query: one }),
  ]);
  const user = isObject(counted.body) ? counted.body["total_count"] : undefined;
  if (typeof user !== "number") throw unexpected(counted, "it has no total_count");
  const [newestUser] = newest;
  return {
    counts: { user, organization: listOf(organizations).total, membership: listOf(memberships).total },
    newestUserAt: newestUser === undefined ? null : readObject("user", newestUser).updatedAt,
  };
}

async function usersByEmail(api: ClerkApi, emails: readonly string[]): Promise<ProviderObject[]> {
  const wanted = new Set(emails.map((email) => email.toLowerCase()));
  const found = await usersWith(api, "email_address", [...wanted]);
  return found
    .filter((user) => emailsOf(user).some((email) => wanted.has(email)))
    .map((user) => readObject("user", user));
}

async function usersByExternalId(api: ClerkApi, ids: readonly string[]): Promise<ProviderObject[]> {
  const found = (await usersWith(api, "external_id", ids)).map((user) => readObject("user", user));
  return found.filter(({ fields }) => ids.some((id) => id === fields["externalId"]));
}

/** There is no filter for slugs, but an organization is found by its slug as by its id. */
async function organizationsBySlug(api: ClerkApi, slugs: readonly string[]): Promise<ProviderObject[]> {
  const found: ProviderObject[] = [];
  for (const slug of slugs) {
    const reply = await api.send({ path: `/organizations/${encodeURIComponent(slug)}`, accept: [404] });
    if (reply.status === 404) continue;
    if (!isObject(reply.body)) throw unexpected(reply, "it is no organization");
    found.push(readObject("organization", reply.body));
  }
  return found.filter(({ fields }) => slugs.some((slug) => slug === fields["slug"]));
}

async function usersWith(api: ClerkApi, filter: string, values: readonly string[]): Promise<RawObject[]> {
  const found = new Map<Json | undefined, RawObject>();
  for (const chunk of chunks(values)) {
    for (const user of await usersOf(api, { limit: pageMax, [filter]: chunk })) found.set(user["id"], user);
  }
  return [...found.values()];
}

/** All addresses of a user, not the primary one alone. */
function emailsOf({ email_addresses: list }: RawObject): string[] {
  const all = Array.isArray(list) ? (list as readonly Json[]).filter(isObject) : [];
  return all.flatMap(({ email_address: email }) => (typeof email === "string" ? [email.toLowerCase()] : []));
}

async function ensureUser(api: ClerkApi, wanted: WantedUser): Promise<ProviderObject> {
  const [there] = await usersByExternalId(api, [wanted.externalId]);
  if (there !== undefined) return there;
  const { id, environment } = await instanceOf(api);
  if (environment === "production") {
    throw new ReplantError("REPLANT_IDENTITY_PRODUCTION", `instance ${id} is a production instance`, {
      state: "nothing was written, here or there",
      hint: "users are made in development instances only",
    });
  }
  const reply = await api.send({ method: "POST", path: "/users", body: newUser(wanted), accept: [422] });
  if (reply.status !== 422) {
    if (!isObject(reply.body)) throw unexpected(reply, "it is no user");
    return readObject("user", reply.body);
  }
  // Somebody else was faster; or the request was done, and its answer lost.
  const [made] = await usersByExternalId(api, [wanted.externalId]);
  if (made !== undefined) return made;
  throw new ReplantError("REPLANT_IDENTITY_PROVIDER", `Clerk does not make the user ${wanted.externalId}`, {
    why: wordsOf(reply.body),
    state: "nothing was written",
    hint: "another user may have the e-mail address: give it this external id, or delete it",
  });
}

function newUser({ externalId, email, firstName, lastName }: WantedUser): Json {
  return {
    external_id: externalId,
    email_address: [testEmail(email)],
    skip_password_requirement: true,
    ...(firstName === undefined ? {} : { first_name: firstName }),
    ...(lastName === undefined ? {} : { last_name: lastName }),
  };
}

/** An address to which Clerk sends nothing, and for which 424242 is the code. */
function testEmail(email: string): string {
  const at = email.lastIndexOf("@");
  return email.slice(0, at).endsWith("+clerk_test") ? email : `${email.slice(0, at)}+clerk_test${email.slice(at)}`;
}

function chunks(values: readonly string[]): (readonly string[])[] {
  const count = Math.ceil(values.length / filterMax);
  return Array.from({ length: count }, (_, index) => values.slice(index * filterMax, (index + 1) * filterMax));
}
