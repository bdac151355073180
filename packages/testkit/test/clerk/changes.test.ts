import { expect, test } from "vitest";
import { clerkWithClient } from "./client.ts";

test("metadata is merged by PATCH and replaced by PUT, kind by kind", async () => {
  const { client } = await clerkWithClient();
  const user = await client.users.createUser({
    publicMetadata: { plan: { seats: 3, tier: "team" } },
    privateMetadata: { note: "kept" },
    unsafeMetadata: { theme: "dark" },
    skipPasswordRequirement: true,
  });
  const patched = await client.users.updateUserMetadata(user.id, {
    publicMetadata: { plan: { seats: null, owner: "ada" } },
    unsafeMetadata: { theme: "light" },
  });
  expect(patched.publicMetadata).toEqual({ plan: { tier: "team", owner: "ada" } });
  expect([patched.privateMetadata, patched.unsafeMetadata]).toEqual([{ note: "kept" }, { theme: "light" }]);
  const replaced = await client.users.replaceUserMetadata(user.id, { publicMetadata: { fresh: true } });
  expect([replaced.publicMetadata, replaced.privateMetadata]).toEqual([{ fresh: true }, { note: "kept" }]);

  const organization = await client.organizations.createOrganization({
    name: "Acme",
    createdBy: user.id,
    publicMetadata: { plan: { seats: 3, tier: "team" } },
    privateMetadata: { note: "kept" },
  });
  const change = { publicMetadata: { plan: { seats: 4 } } };
  const merged = await client.organizations.updateOrganizationMetadata(organization.id, change);
  expect(merged.publicMetadata).toEqual({ plan: { seats: 4, tier: "team" } });
  const changed = await client.organizations.replaceOrganizationMetadata(organization.id, change);
  expect([changed.publicMetadata, changed.privateMetadata]).toEqual([{ plan: { seats: 4 } }, { note: "kept" }]);
  const membership = await client.organizations.updateOrganizationMembershipMetadata({
    organizationId: organization.id,
    userId: user.id,
    publicMetadata: { desk: 7 },
  });
  expect(membership).toMatchObject({ role: "org:admin", publicMetadata: { desk: 7 } });
});

test("a user is made with a date and an id of its own, and is banned and locked", async () => {
  const { client, clerk } = await clerkWithClient();
  const createdAt = new Date("2020-02-29T12:00:00.123Z");
  const user = await client.users.createUser({
    externalId: "e1",
    emailAddress: ["ada@example.com"],
    createdAt,
    banned: true,
    locked: true,
    skipPasswordRequirement: true,
  });
  expect(user).toMatchObject({ externalId: "e1", createdAt: createdAt.getTime(), banned: true, locked: true });
  expect(await client.users.unbanUser(user.id)).toMatchObject({ banned: false, locked: true });
  expect(await client.users.unlockUser(user.id)).toMatchObject({ banned: false, locked: false });
  expect(await client.users.banUser(user.id)).toMatchObject({ banned: true, locked: false });
  expect(await client.users.lockUser(user.id)).toMatchObject({ banned: true, locked: true });
  expect(clerk.deliveries.messages.map(({ type }) => type)).toEqual([
    "user.created",
    "user.updated",
    "user.updated",
    "user.updated",
    "user.updated",
  ]);
});
