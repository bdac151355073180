import { describe, expect, test } from "vitest";
import { drift, pull, reconcile } from "../src/index.ts";
import type { Weather } from "./convergence/world.ts";
import { World } from "./convergence/world.ts";
import { MemoryStore } from "./memory-store.ts";

const calm: Weather = {
  paceMs: 0,
  jitterMs: 0,
  repeated: 0,
  dropped: 1,
  late: 0,
  outage: false,
  crashes: 0,
  reconciles: 0,
  resets: 0,
};

function worldOf({ members }: { members: number }): World {
  const world = new World(1, calm);
  const { instance } = world;
  const organization = instance.createOrganization({ name: "Acme" });
  for (let n = 0; n < members; n += 1) {
    const { id } = instance.createUser({ email: `u${n}@example.com` });
    instance.createMembership({ organizationId: organization.id, userId: id, role: "org:member" });
  }
  return world;
}

const steady = async (): Promise<void> => {};

describe("a listing", () => {
  test("goes on where it was interrupted", async () => {
    const world = worldOf({ members: 10 });
    const store = new MemoryStore();
    const controller = new AbortController();
    const pages: string[] = [];
    const provider = world.provider({ pageSize: 2, between: steady });
    const counting = {
      ...provider,
      list: (...args: Parameters<typeof provider.list>) => {
        pages.push(args.join(" "));
        return provider.list(...args);
      },
    };
    const onProgress = (): void => {
      if (store.state.seen.user.size === 6) controller.abort();
    };
    await expect(pull(counting, store, { onProgress, signal: controller.signal })).rejects.toThrow(/abort/);
    const before = pages.length;
    const { resumed, counts } = await pull(counting, store);
    expect(resumed).toBe(true);
    expect(counts).toEqual({ user: 10, organization: 1, membership: 10 });
    // Two pages of users are left, one of organizations, five of memberships.
    expect(pages.length - before).toBe(8);
  });

  test("that ended before it was closed counts everybody once", async () => {
    const world = worldOf({ members: 5 });
    const store = new MemoryStore();
    const controller = new AbortController();
    const provider = world.provider({ pageSize: 2, between: steady });
    // Cut right after the last page was written.
    const cut = {
      inbox: store.inbox,
      apply: <Value>(work: Parameters<typeof store.apply<Value>>[0]): Promise<Value> => {
        if (store.state.seen.membership.size === 5) controller.abort();
        controller.signal.throwIfAborted();
        return store.apply(work);
      },
    };
    await expect(pull(provider, cut)).rejects.toThrow(/abort/);
    const { resumed, counts } = await pull(provider, store);
    expect(resumed).toBe(true);
    expect(counts).toEqual({ user: 5, organization: 1, membership: 5 });
  });

  test("the second time changes no row, and nothing differs", async () => {
    const world = worldOf({ members: 3 });
    const store = new MemoryStore();
    const provider = world.provider({ pageSize: 2, between: steady });
    await pull(provider, store);
    expect(await drift(provider, store)).toMatchObject({ equal: true });
    world.instance.deleteUser([...world.instance.users.keys()][0] ?? "");
    world.instance.createUser({ email: "new@example.com" });
    const [changed = ""] = [...world.instance.users.keys()];
    world.instance.updateUser(changed, { firstName: "Changed" });
    const { equal, kinds } = await drift(provider, store);
    expect(equal).toBe(false);
    expect(
      kinds.map(({ onlyProvider, onlyDatabase, different }) => [onlyProvider.length, onlyDatabase.length, different]),
    ).toEqual([
      [1, 1, [{ id: changed, fields: ["firstName", "updatedAt"] }]],
      [0, 0, []],
      [0, 1, []],
    ]);
  });
});

describe("an instance", () => {
  test("of production is refused before anything is written", async () => {
    const store = new MemoryStore();
    const provider = worldOf({ members: 1 }).provider({ pageSize: 2, between: steady });
    const instance = async (): Promise<{ id: string; environment: "production"; now: number }> => ({
      id: "ins_live",
      environment: "production",
      now: 1,
    });
    await expect(pull({ ...provider, instance }, store)).rejects.toMatchObject({ code: "REPLANT_IDENTITY_PRODUCTION" });
    expect(store.state.sync.instance).toBeNull();
  });

  test("other than the one that the database belongs to is refused, by reconcile and drift too", async () => {
    const store = new MemoryStore();
    const provider = worldOf({ members: 1 }).provider({ pageSize: 2, between: steady });
    await pull(provider, store);
    const rows = JSON.stringify([...store.state.rows.user]);
    const other = {
      ...provider,
      instance: async () => ({ id: "ins_other", environment: "development" as const, now: 1 }),
    };
    for (const attempt of [pull(other, store), reconcile(other, store), drift(other, store)]) {
      await expect(attempt).rejects.toMatchObject({ code: "REPLANT_IDENTITY_INSTANCE" });
    }
    expect(JSON.stringify([...store.state.rows.user])).toBe(rows);
  });
});

describe("orphans", () => {
  test("that are suspiciously many stop a reconcile", async () => {
    const world = worldOf({ members: 30 });
    const store = new MemoryStore();
    const provider = world.provider({ pageSize: 50, between: steady });
    await pull(provider, store);
    for (const id of [...world.instance.users.keys()].slice(0, 25)) world.instance.deleteUser(id);
    await expect(reconcile(provider, store)).rejects.toMatchObject({ code: "REPLANT_IDENTITY_ORPHANS" });
    expect([...store.state.rows.user.values()].filter(({ deleted }) => deleted)).toEqual([]);
    const { orphans } = await reconcile(provider, store, { alarmShare: 1 });
    expect(orphans).toHaveLength(50);
  });

  test("that went with one organization are not suspicious", async () => {
    const world = worldOf({ members: 30 });
    const store = new MemoryStore();
    const provider = world.provider({ pageSize: 50, between: steady });
    await pull(provider, store);
    world.instance.deleteOrganization([...world.instance.organizations.keys()][0] ?? "");
    const { orphans } = await reconcile(provider, store);
    expect(orphans).toHaveLength(31);
  });

  test.each(["keep", "soft-delete", "drop", "fail"] as const)("become what the rule %s says", async (rule) => {
    const world = worldOf({ members: 2 });
    const store = new MemoryStore();
    const provider = world.provider({ pageSize: 50, between: steady });
    await pull(provider, store);
    const [id = ""] = [...world.instance.users.keys()];
    world.instance.deleteUser(id);
    const outcome = await reconcile(provider, store, { orphans: rule }).then(
      ({ orphans }) => orphans.length,
      (error: { code: string }) => error.code,
    );
    expect(outcome).toBe(rule === "fail" ? "REPLANT_IDENTITY_ORPHANS" : 2);
    const row = store.state.rows.user.get(id);
    const expected = { keep: false, fail: false, "soft-delete": true, drop: undefined };
    expect(row?.deleted).toBe(expected[rule]);
  });
});
