import { createClerkClient } from "@clerk/backend";
import { expect, test } from "vitest";
import { fillSample, VirtualClock } from "../../src/clerk/index.ts";
import { clerkWithClient } from "./client.ts";

test("the official client reads what it wrote", async () => {
  const { client, clerk } = await clerkWithClient();
  const user = await client.users.createUser({
    emailAddress: ["ada@example.com"],
    firstName: "Ada",
    externalId: "admin",
    publicMetadata: { plan: { seats: 3, tags: ["a"] } },
    skipPasswordRequirement: true,
  });
  const organization = await client.organizations.createOrganization({ name: "Acme", createdBy: user.id });
  const bela = await client.users.createUser({ emailAddress: ["bela@example.com"] });
  await client.organizations.createOrganizationMembership({
    organizationId: organization.id,
    userId: bela.id,
    role: "org:member",
  });
  await client.users.updateUserMetadata(user.id, { publicMetadata: { plan: { seats: 4 } } });

  const read = await client.users.getUser(user.id);
  expect(read).toMatchObject({
    firstName: "Ada",
    externalId: "admin",
    primaryEmailAddressId: user.emailAddresses[0]?.id,
  });
  expect(read.publicMetadata).toEqual({ plan: { seats: 4, tags: ["a"] } });
  expect(read.primaryEmailAddress?.emailAddress).toBe("ada@example.com");
  // Milliseconds, as in everything that the API dates.
  expect(Math.abs(read.createdAt - Date.now())).toBeLessThan(60_000);
  expect(read.raw).toMatchObject({ object: "user", password_enabled: false, created_at: read.createdAt });

  const members = await client.organizations.getInstanceOrganizationMembershipList({ limit: 10 });
  expect(members.totalCount).toBe(2);
  expect(members.data.map(({ role, publicUserData }) => [role, publicUserData?.userId])).toEqual([
    ["org:member", bela.id],
    ["org:admin", user.id],
  ]);
  const updated = await client.organizations.updateOrganizationMembership({
    organizationId: organization.id,
    userId: bela.id,
    role: "org:admin",
  });
  expect(updated.permissions).toContain("org:sys_memberships:manage");
  const one = await client.organizations.getOrganization({ slug: organization.slug });
  expect(one).toMatchObject({ id: organization.id, membersCount: 2 });

  await client.users.deleteUser(bela.id);
  await client.organizations.updateOrganization(organization.id, { name: "Acme 2" });
  const { data } = await client.organizations.getOrganizationMembershipList({ organizationId: organization.id });
  expect(data.map(({ organization: { name } }) => name)).toEqual(["Acme 2"]);
  await client.organizations.deleteOrganization(organization.id);
  expect((await client.organizations.getOrganizationList()).data).toEqual([]);
  expect(await client.instance.get()).toMatchObject({ id: clerk.instance.id, environmentType: "development" });
});

test("lists have the API's two shapes, and users a second request for their count", async () => {
  const { client, clerk } = await clerkWithClient();
  fillSample(clerk.instance);
  const users = await client.users.getUserList({ limit: 3, orderBy: "+created_at" });
  expect(users.totalCount).toBe(8);
  expect(users.data.map(({ firstName }) => firstName)).toEqual(["Ada", "Bela", "Chiara"]);
  expect(clerk.requests.map(({ url }) => url.replace(/\?.*/, "")).sort()).toEqual(["/v1/users", "/v1/users/count"]);
  // Not in the SDK's types; it is sent as starting_after.
  const after = { startingAfter: users.data[2]?.id, limit: 500, orderBy: "+created_at" } as object;
  const rest = await client.users.getUserList(after);
  expect(rest.data.map(({ firstName }) => firstName)).toEqual(["Dario", "Edda", "Farid", "Greta", "Hugo"]);
  const byId = await client.users.getUserList({ userId: [users.data[1]?.id ?? ""], limit: 100 });
  expect(byId.data.map(({ firstName }) => firstName)).toEqual(["Bela"]);
  const newest = await client.users.getUserList({ limit: 1, orderBy: "-updated_at" });
  expect(newest.data.map(({ firstName }) => firstName)).toEqual(["Hugo"]);
  const organizations = await client.organizations.getOrganizationList({ limit: 2, orderBy: "+name" });
  expect(organizations).toMatchObject({ totalCount: 3, data: [{ name: "Acme" }, { name: "Globex" }] });
});

test("what the API refuses is refused with its status and code", async () => {
  const { client, clerk } = await clerkWithClient({ userLimit: 9 });
  fillSample(clerk.instance);
  const [ada] = clerk.instance.users.values();
  const [acme] = clerk.instance.organizations.values();
  const refusals: [() => Promise<unknown>, number, string][] = [
    [() => client.users.getUserList({ limit: 501 }), 422, "form_param_format_invalid"],
    [() => client.users.getUserList({ userId: Array.from({ length: 101 }, String) }), 422, "form_param_value_invalid"],
    [() => client.users.getUserList({ startingAfter: ada?.id, offset: 5 } as object), 422, "form_param_value_invalid"],
    [
      () => client.users.getUserList({ startingAfter: ada?.id, orderBy: "-updated_at" } as object),
      422,
      "form_param_value_invalid",
    ],
    [
      () => client.organizations.getOrganizationList({ orderBy: "-updated_at" as "-name" }),
      422,
      "form_param_value_invalid",
    ],
    [() => client.users.createUser({ emailAddress: [ada?.emails[0] ?? ""] }), 422, "form_identifier_exists"],
    [() => client.users.createUser({ externalId: "admin" }), 422, "form_identifier_exists"],
    [() => client.users.updateUser("user_none", { firstName: "x" }), 404, "resource_not_found"],
    [() => client.organizations.createOrganization({ name: "x", slug: "acme" }), 422, "form_identifier_exists"],
    [
      () =>
        client.organizations.createOrganizationMembership({
          organizationId: acme?.id ?? "",
          userId: ada?.id ?? "",
          role: "org:admin",
        }),
      400,
      "already_a_member_in_organization",
    ],
  ];
  for (const [attempt, status, code] of refusals) {
    await expect(attempt(), code).rejects.toMatchObject({ status, errors: [{ code }] });
  }
  await client.users.createUser({ emailAddress: ["ninth@example.com"] });
  await expect(client.users.createUser({})).rejects.toMatchObject({
    status: 403,
    errors: [{ code: "user_quota_exceeded" }],
  });
  const stranger = createClerkClient({ apiUrl: clerk.apiUrl, secretKey: "sk_test_x", telemetry: { disabled: true } });
  await expect(stranger.users.getCount()).rejects.toMatchObject({ status: 401 });
});

test("an address that was given up can be taken, and a failed change gives nothing up", async () => {
  const { client } = await clerkWithClient();
  const first = await client.users.createUser({ emailAddress: ["one@example.com"], externalId: "x" });
  const second = await client.users.createUser({ emailAddress: ["two@example.com"] });
  await expect(client.users.updateUser(second.id, { externalId: "x" })).rejects.toMatchObject({ status: 422 });
  await expect(client.users.createUser({ emailAddress: ["two@example.com"] })).rejects.toMatchObject({ status: 422 });
  await client.users.deleteUser(first.id);
  const third = await client.users.createUser({ emailAddress: ["ONE@example.com"], externalId: "x" });
  expect(third.id).not.toBe(first.id);
});

test("the 101st request within ten seconds waits as long as Retry-After says", async () => {
  const clock = new VirtualClock();
  const { client, clerk } = await clerkWithClient({ clock });
  await clock.sleep(3_000);
  for (let n = 0; n < 100; n += 1) await client.instance.get();
  await clock.sleep(4_500);
  const refused = client.instance.get();
  await expect(refused).rejects.toMatchObject({ status: 429, retryAfter: 6, errors: [{ code: "too_many_requests" }] });
  await clock.sleep(5_499);
  await expect(client.instance.get()).rejects.toMatchObject({ status: 429, retryAfter: 1 });
  await clock.sleep(1);
  await expect(client.instance.get()).resolves.toMatchObject({ id: clerk.instance.id });
  const production = await clerkWithClient({ clock, environment: "production" });
  for (let n = 0; n < 150; n += 1) await production.client.instance.get();
  expect(production.clerk.secretKey).toMatch(/^sk_live_/);
});

test("an outage in the middle looks to the client as one of Clerk's", async () => {
  const { client, clerk } = await clerkWithClient();
  clerk.onRequest = async ({ url }) => (url.startsWith("/v1/users/count") ? 503 : undefined);
  await expect(client.users.getCount()).rejects.toMatchObject({ status: 503 });
  await expect(client.instance.get()).resolves.toMatchObject({ environmentType: "development" });
});
