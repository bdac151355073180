import type { ClerkClient } from "@clerk/backend";
import { expect, test } from "vitest";
import { fillSample, VirtualClock } from "../../src/clerk/index.ts";
import { clerkWithClient } from "./client.ts";

type UserFilter = Parameters<ClerkClient["users"]["getUserList"]>[0];

async function idsOf(client: ClerkClient, filter: UserFilter): Promise<string[]> {
  const ids: string[] = [];
  for (let more = true; more;) {
    // Not in the SDK's types; it is sent as starting_after.
    const cursor = ids.length === 0 ? {} : { startingAfter: ids.at(-1) };
    const { data } = await client.users.getUserList({ limit: 500, orderBy: "+created_at", ...filter, ...cursor });
    ids.push(...data.map(({ id }) => id));
    more = data.length > 0;
  }
  return ids;
}

test("an instance is filled at once, without events, and listed in full", async () => {
  const { client, clerk } = await clerkWithClient({ rateLimit: null });
  fillSample(clerk.instance);
  const sent = clerk.deliveries.messages.length;
  clerk.instance.fill({ users: 1_200, organizations: 40, memberships: 3_000 });
  expect(clerk.deliveries.messages).toHaveLength(sent);
  const ids = await idsOf(client, {});
  expect(new Set(ids)).toEqual(new Set(clerk.instance.users.keys()));
  expect(ids).toHaveLength(1_208);
  const pairs: string[] = [];
  for (let offset = 0; offset < 3_012; offset += 500) {
    const page = await client.organizations.getInstanceOrganizationMembershipList({ limit: 500, offset });
    expect(page.totalCount).toBe(3_012);
    pairs.push(...page.data.map(({ organization, publicUserData }) => `${organization.id} ${publicUserData?.userId}`));
  }
  expect(new Set(pairs).size).toBe(3_012);
  const organizations = await client.organizations.getOrganizationList({ limit: 500, includeMembersCount: true });
  expect(organizations.totalCount).toBe(43);
  expect(organizations.data.reduce((sum, { membersCount = 0 }) => sum + membersCount, 0)).toBe(3_012);
  expect(() => clerk.instance.fill({ users: 2, organizations: 2, memberships: 5 })).toThrow(RangeError);
});

test("what is filled in is older than what follows, and its addresses are taken", async () => {
  const clock = new VirtualClock();
  const { client, clerk } = await clerkWithClient({ clock });
  clerk.instance.fill({ users: 3 });
  const times = [...clerk.instance.users.values()].map(({ createdAt }) => createdAt);
  expect(new Set(times).size).toBe(3);
  expect(Math.max(...times)).toBeLessThan(clock.now());
  const [first] = clerk.instance.users.values();
  await expect(client.users.createUser({ emailAddress: [...(first?.emails ?? [])] })).rejects.toMatchObject({
    status: 422,
  });
});

test("a list that was asked for before shows what has changed since", async () => {
  const { client, clerk } = await clerkWithClient();
  clerk.instance.fill({ users: 5 });
  const newest = async (orderBy: "-created_at" | "-updated_at"): Promise<string | undefined> =>
    (await client.users.getUserList({ limit: 1, orderBy })).data[0]?.id;
  const before = await newest("-created_at");
  const { id } = await client.users.createUser({});
  expect(await newest("-created_at")).toBe(id);
  await client.users.updateUser(before ?? "", { firstName: "New" });
  expect(await newest("-updated_at")).toBe(before);
  await client.users.deleteUser(id);
  expect(await newest("-created_at")).toBe(before);
  clerk.instance.fill({ users: 1 });
  expect(await client.users.getCount()).toBe(6);
});

test("shards by creation make up the whole list, without the moments at their ends", async () => {
  const { client, clerk } = await clerkWithClient();
  clerk.instance.fill({ users: 400 });
  const users = [...clerk.instance.users.values()];
  const [low = 0, high = 0] = [users[100]?.createdAt, users[300]?.createdAt];
  const shards = [
    await idsOf(client, { createdAtBefore: low }),
    await idsOf(client, { createdAtAfter: low - 1, createdAtBefore: high }),
    await idsOf(client, { createdAtAfter: high - 1 }),
  ];
  expect(shards.map(({ length }) => length)).toEqual([100, 200, 100]);
  expect(shards.flat()).toEqual(users.map(({ id }) => id));
  expect(await idsOf(client, { createdAtAfter: low, createdAtBefore: high })).toHaveLength(199);
  const wrong = client.users.getUserList({ createdAtAfter: "yesterday" as unknown as number });
  await expect(wrong).rejects.toMatchObject({ status: 422, errors: [{ code: "form_param_format_invalid" }] });
});

test("users are found by address, external id, id and organization", async () => {
  const { client, clerk } = await clerkWithClient();
  fillSample(clerk.instance);
  const names = async (filter: UserFilter): Promise<(string | null)[]> =>
    (await client.users.getUserList({ orderBy: "+created_at", ...filter })).data.map(({ firstName }) => firstName);
  const [, bela, chiara] = clerk.instance.users.values();
  const [acme, globex] = clerk.instance.organizations.values();
  expect(await names({ emailAddress: ["BELA+clerk_test@example.com", "nobody@example.com"] })).toEqual(["Bela"]);
  expect(await names({ externalId: ["admin"] })).toEqual(["Ada"]);
  expect(await names({ userId: [chiara?.id ?? "", bela?.id ?? "", "user_none"] })).toEqual(["Bela", "Chiara"]);
  expect(await names({ organizationId: [globex?.id ?? ""] })).toEqual(["Chiara", "Edda", "Farid"]);
  expect(await names({ organizationId: [globex?.id ?? "", acme?.id ?? ""] })).toHaveLength(6);
  expect(await names({ organizationId: [globex?.id ?? ""], userId: [bela?.id ?? ""] })).toEqual([]);
  const ofChiara = await client.users.getOrganizationMembershipList({ userId: chiara?.id ?? "" });
  expect(ofChiara.data.map(({ organization }) => organization.name).toSorted()).toEqual(["Acme", "Globex"]);
  const largest = await client.organizations.getOrganizationList({ orderBy: "-members_count" });
  expect(largest.data.map(({ name }) => name)).toEqual(["Initech", "Acme", "Globex"]);
});
