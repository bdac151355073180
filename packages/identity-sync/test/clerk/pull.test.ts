import { type ClerkInstance, VirtualClock } from "@replant/testkit/clerk";
import { expect, test } from "vitest";
import type { ClerkOptions } from "../../src/clerk/index.ts";
import type { Kind } from "../../src/index.ts";
import { kinds, pull, quickDrift, reconcile } from "../../src/index.ts";
import { MemoryStore } from "../memory-store.ts";
import type { ClerkPlace } from "./place.ts";
import { clerkPlace } from "./place.ts";

/** Everybody is a member of the first organizations, until there are so many memberships. */
function fill(instance: ClerkInstance, counts: Readonly<Record<Kind, number>>): void {
  const users = Array.from({ length: counts.user }, (_, index) =>
    instance.createUser({ email: `u${index}@example.com` }),
  );
  for (let index = 0; index < counts.organization; index += 1) instance.createOrganization({ name: `Team ${index}` });
  const organizations = [...instance.organizations.keys()];
  for (let index = 0; index < counts.membership; index += 1) {
    const userId = users[index % users.length]!.id;
    const organizationId = organizations[Math.floor(index / users.length)]!;
    instance.createMembership({ userId, organizationId, role: "org:member" });
  }
}

/** The instance was filled an hour ago. */
async function filledPlace(
  counts: Readonly<Record<Kind, number>>,
  { options, ...emulated }: Parameters<typeof clerkPlace>[0] & { options?: Partial<ClerkOptions> } = {},
): Promise<ClerkPlace & { readonly clock: VirtualClock }> {
  const clock = new VirtualClock(Date.now() - 3_600_000);
  const place = await clerkPlace({ clock, ...emulated }, options);
  fill(place.clerk.instance, counts);
  clock.moveTo(Date.now());
  return { ...place, clock };
}

const paths: Readonly<Record<string, Kind>> = {
  "/v1/users": "user",
  "/v1/organizations": "organization",
  "/v1/organization_memberships": "membership",
};

function pagesOf({ clerk }: ClerkPlace): Record<Kind, number> {
  const pages = { user: 0, organization: 0, membership: 0 };
  for (const { url, status } of clerk.requests) {
    const kind = paths[new URL(url, "http://localhost").pathname];
    if (status === 200 && kind !== undefined) pages[kind] += 1;
  }
  return pages;
}

test.each([
  // The last page of users does not say that it is the last one when it is full.
  { counts: { user: 500, organization: 50, membership: 1_000 }, pages: { user: 2, organization: 1, membership: 2 } },
  // 1,500 memberships are three full pages, and one object of each page is that of the page before.
  { counts: { user: 1_200, organization: 60, membership: 1_500 }, pages: { user: 3, organization: 1, membership: 4 } },
  { counts: { user: 1_200, organization: 60, membership: 1_498 }, pages: { user: 3, organization: 1, membership: 3 } },
  { counts: { user: 0, organization: 0, membership: 0 }, pages: { user: 1, organization: 1, membership: 1 } },
])("a listing of $counts takes pages of 500 and one request for the instance", async ({ counts, pages }) => {
  const place = await filledPlace(counts);
  const store = new MemoryStore();
  expect(await pull(place.provider, store)).toMatchObject({ counts, resumed: false });
  expect(pagesOf(place)).toEqual(pages);
  expect(place.clerk.requests).toHaveLength(1 + pages.user + pages.organization + pages.membership);
  for (const kind of kinds) expect(store.state.rows[kind].size).toBe(counts[kind]);
});

test("a full last page of organizations is read again when something went while something came", async () => {
  const place = await filledPlace({ user: 1, organization: 1_000, membership: 0 });
  const { clerk, clock } = place;
  const before = [...clerk.instance.organizations.keys()];
  clerk.onRequest = async ({ url }) => {
    if (!url.includes("offset=500")) return;
    clerk.onRequest = null;
    clock.moveTo(Date.now() + 2_000);
    clerk.instance.deleteOrganization(before[10]!);
    clerk.instance.createOrganization({ name: "late" });
  };
  const store = new MemoryStore();
  await pull(place.provider, store);
  expect([...store.state.rows.organization.keys()].toSorted()).toEqual(
    [...before, ...clerk.instance.organizations.keys()].filter((id, at, all) => all.indexOf(id) === at).toSorted(),
  );
});

test("the rate limit is waited for exactly, and nothing is asked for in between", async () => {
  const place = await filledPlace(
    { user: 1_200, organization: 60, membership: 1_498 },
    { rateLimit: { requests: 3, windowMs: 10_000 } },
  );
  const began = place.clock.now();
  await pull(place.provider, new MemoryStore());
  // 8 requests, 3 in any 10 seconds.
  expect(place.waits).toEqual([10_000, 10_000]);
  expect(place.clock.now() - began).toBe(20_000);
  expect(place.clerk.requests.filter(({ status }) => status === 429)).toHaveLength(2);
});

test.each([1, 2, 3, 4, 5, 6])(
  "a listing that was cut after page %i goes on, and reads at most one page twice",
  async (cut) => {
    const counts = { user: 1_200, organization: 60, membership: 1_498 };
    const place = await filledPlace(counts);
    const store = new MemoryStore();
    const stop = new AbortController();
    let pages = 0;
    const onProgress = (): void => {
      pages += 1;
      if (pages === cut) stop.abort(new Error("cut"));
    };
    await expect(pull(place.provider, store, { signal: stop.signal, onProgress })).rejects.toThrow("cut");
    const pulled = await pull(place.provider, store);
    expect(pulled).toMatchObject({ resumed: true, counts });
    for (const kind of kinds) expect(store.state.rows[kind].size).toBe(counts[kind]);
    const listed = pagesOf(place);
    expect(listed.user + listed.organization + listed.membership).toBeLessThanOrEqual(7 + 1);
  },
);

test("what was deleted while nobody listened is found out, and a second reconcile changes nothing", async () => {
  const place = await filledPlace({ user: 30, organization: 3, membership: 90 });
  const store = new MemoryStore();
  await pull(place.provider, store);
  const { instance } = place.clerk;
  const [user] = instance.users.keys();
  const [organization] = instance.organizations.keys();
  instance.deleteUser(user!);
  instance.deleteOrganization(organization!);
  expect((await quickDrift(place.provider, store)).equal).toBe(false);
  const { orphans } = await reconcile(place.provider, store);
  expect(orphans.filter(({ kind }) => kind !== "membership")).toMatchObject([{ id: user }, { id: organization }]);
  expect((await quickDrift(place.provider, store)).equal).toBe(true);
  const again = await reconcile(place.provider, store);
  expect(again.orphans).toEqual([]);
});

test("a quick look takes four requests", async () => {
  const place = await filledPlace({ user: 10, organization: 2, membership: 20 });
  await place.provider.look();
  expect(place.clerk.requests).toHaveLength(4);
});
