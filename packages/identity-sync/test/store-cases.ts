import { describe, expect, test } from "vitest";
import type { Delivery, IdentityStore, Kind, ProviderObject, Writes } from "../src/index.ts";
import { applyChanges, drain } from "../src/index.ts";
import { readEvent } from "../src/clerk/normalize.ts";
import { at, membership, organization, user } from "./objects.ts";

const nothing: Writes = { displaced: [], replaced: [], present: [], gone: [], parked: [], unparked: [] };

const parents = [user("user_1"), organization("org_1")];
const joins = { user: "user_1", organization: "org_1" };

export function write(store: IdentityStore, writes: Partial<Writes>): Promise<number> {
  return store.apply((transaction) => transaction.write({ ...nothing, ...writes }));
}

/** Applies objects as a listing gives them; returns the rows that changed. */
export async function list(store: IdentityStore, objects: readonly ProviderObject[]): Promise<number> {
  const { rowsChanged } = await store.apply((transaction) =>
    applyChanges(
      transaction,
      objects.map((object) => ({ change: { type: "present", object }, from: "listing" })),
    ),
  );
  return rowsChanged;
}

function known(store: IdentityStore, kind: Kind, id: string): Promise<unknown> {
  return store.apply(async (transaction) => (await transaction.known(kind, [id])).get(id));
}

function delivery(id: string, type: string, data: Readonly<Record<string, unknown>>): Delivery {
  const body = JSON.stringify({ type, data, object: "event", timestamp: at(100) });
  return { id, body, verified: true, event: readEvent(body) };
}

/** What a store of identity-sync has to do, with the reference mapping. `open` gives an empty one, which goes with the test. */
export function storeCases(open: () => Promise<IdentityStore>): void {
  describe("known", () => {
    test("is nothing of an id that nobody has written", async () => {
      const store = await open();
      expect(await known(store, "user", "user_1")).toEqual({ updatedAt: null, gone: false, row: false });
    });

    test("is the age of the last state to the millisecond, for each kind", async () => {
      const store = await open();
      await write(store, { present: [...parents, membership("mem_1", joins, { updatedAt: at(7) })] });
      expect(await known(store, "user", "user_1")).toEqual({ updatedAt: at(0), gone: false, row: true });
      expect(await known(store, "organization", "org_1")).toEqual({ updatedAt: at(0), gone: false, row: true });
      expect(await known(store, "membership", "mem_1")).toEqual({ updatedAt: at(7), gone: false, row: true });
    });

    test("of what is gone keeps row and age", async () => {
      const store = await open();
      await write(store, { present: parents });
      await write(store, {
        gone: [
          { kind: "user", id: "user_1" },
          { kind: "user", id: "user_2" },
        ],
      });
      expect(await known(store, "user", "user_1")).toEqual({ updatedAt: at(0), gone: true, row: true });
      expect(await known(store, "user", "user_2")).toEqual({ updatedAt: null, gone: true, row: false });
    });
  });

  test("holders are other rows with one of the values, and say who wants which", async () => {
    const store = await open();
    await write(store, { present: [user("user_1"), user("user_2")] });
    const wanted = [user("user_1"), user("user_3", { email: "user_2@example.com" }), user("user_4", { email: null })];
    const found = await store.apply((transaction) => transaction.holders("user", wanted));
    expect(found.map(({ kind, id, field, value }) => [kind, id, field, value])).toEqual([
      ["user", "user_2", "email", "user_2@example.com"],
    ]);
    expect(found[0]).toMatchObject({ updatedAt: at(0), gone: false });
  });

  test("unique fields are those of the tables", async () => {
    const store = await open();
    const unique = (kind: Kind): Promise<readonly string[]> =>
      store.apply(async (transaction) => transaction.uniqueFields(kind));
    expect([await unique("user"), await unique("organization"), await unique("membership")]).toEqual([
      ["email"],
      ["slug"],
      [],
    ]);
  });

  test("pairs are found by the provider's ids of what they join", async () => {
    const store = await open();
    await write(store, { present: [...parents, user("user_2"), membership("mem_1", joins)] });
    const asked = [membership("mem_9", joins), membership("mem_8", { ...joins, user: "user_2" })];
    expect(await store.apply((transaction) => transaction.pairs(asked))).toEqual([
      expect.objectContaining({ ...joins, id: "mem_1", updatedAt: at(0) }),
    ]);
  });

  test("memberships of a user are its rows and those that wait", async () => {
    const store = await open();
    const waiting = membership("mem_2", { user: "user_1", organization: "org_2" });
    await write(store, { present: [...parents, membership("mem_1", joins)], parked: [waiting] });
    const of = (kind: "user" | "organization", id: string): Promise<string[]> =>
      store.apply(async (transaction) =>
        (await transaction.membershipsOf(kind, [id])).sort((a, b) => (a < b ? -1 : 1)),
      );
    expect(await of("user", "user_1")).toEqual(["mem_1", "mem_2"]);
    expect(await of("organization", "org_1")).toEqual(["mem_1"]);
    expect(await of("organization", "org_2")).toEqual(["mem_2"]);
  });

  test("of one that waits the newer state stays, until it waits no more", async () => {
    const store = await open();
    const parked = (): Promise<unknown> => store.apply((transaction) => transaction.parkedFor("user", ["user_1"]));
    const newer = membership("mem_1", joins, { updatedAt: at(9), fields: { role: "org:admin" } });
    await write(store, { parked: [newer] });
    await write(store, { parked: [membership("mem_1", joins, { updatedAt: at(3) })] });
    expect(await parked()).toEqual([newer]);
    const newest = membership("mem_1", joins, { updatedAt: at(10) });
    await write(store, { parked: [newest] });
    expect(await parked()).toEqual([newest]);
    await write(store, { unparked: ["mem_1"] });
    expect(await parked()).toEqual([]);
  });

  test("what throws in the middle takes everything back", async () => {
    const store = await open();
    const failing = store.apply(async (transaction) => {
      await transaction.write({ ...nothing, present: parents, gone: [{ kind: "user", id: "user_5" }] });
      throw new Error("cut off");
    });
    await expect(failing).rejects.toThrow("cut off");
    expect(await known(store, "user", "user_1")).toMatchObject({ row: false });
    expect(await known(store, "user", "user_5")).toMatchObject({ gone: false });
    await write(store, { present: parents });
    expect(await known(store, "user", "user_1")).toMatchObject({ row: true });
  });

  describe("applied changes", () => {
    test("two users swap their addresses in one batch", async () => {
      const store = await open();
      await list(store, [user("user_1"), user("user_2")]);
      const swapped = [
        user("user_1", { email: "user_2@example.com" }, at(1)),
        user("user_2", { email: "user_1@example.com" }, at(1)),
      ];
      await list(store, swapped);
      const holders = (email: string): Promise<string[]> =>
        store.apply(async (transaction) =>
          (await transaction.holders("user", [user("nobody", { email })])).map(({ id }) => id),
        );
      expect(await holders("user_1@example.com")).toEqual(["user_2"]);
      expect(await holders("user_2@example.com")).toEqual(["user_1"]);
    });

    test("a new user takes the address of one that is gone", async () => {
      const store = await open();
      await list(store, [user("user_1")]);
      await write(store, { gone: [{ kind: "user", id: "user_1" }] });
      await list(store, [user("user_2", { email: "user_1@example.com" }, at(1))]);
      const holders = await store.apply((transaction) =>
        transaction.holders("user", [user("nobody", { email: "user_1@example.com" })]),
      );
      expect(holders.map(({ id }) => id)).toEqual(["user_2"]);
    });

    test("a membership waits for its user, and then has it", async () => {
      const store = await open();
      await list(store, [organization("org_1"), membership("mem_1", joins)]);
      expect(await known(store, "membership", "mem_1")).toMatchObject({ row: false });
      await list(store, [user("user_1")]);
      expect(await known(store, "membership", "mem_1")).toMatchObject({ row: true });
      expect(await store.apply((transaction) => transaction.parkedFor("user", ["user_1"]))).toEqual([]);
    });

    test("with a user its memberships go", async () => {
      const store = await open();
      await list(store, [...parents, membership("mem_1", joins)]);
      await store.apply((transaction) =>
        applyChanges(transaction, [{ change: { type: "gone", kind: "user", id: "user_1" }, from: "listing" }]),
      );
      expect(await known(store, "membership", "mem_1")).toMatchObject({ gone: true });
    });
  });

  describe("the inbox", () => {
    const gone = (id: string): Delivery => delivery(id, "user.deleted", { id: "user_1", deleted: true });

    test("has each message once, and counts", async () => {
      const { inbox } = await open();
      expect(await inbox.receive(gone("msg_1"))).toBe(true);
      expect(await inbox.receive(gone("msg_1"))).toBe(false);
      expect(await inbox.receive(gone("msg_2"))).toBe(true);
      expect(await inbox.counts()).toMatchObject({ pending: 2, parked: 0, dead: 0 });
    });

    test("has each of many that come at once, in their order, and of two with one id the first", async () => {
      const store = await open();
      const ids = Array.from({ length: 150 }, (_, n) => `msg_${(n * 7) % 40}`);
      const received = await Promise.all(ids.map((id) => store.inbox.receive(gone(id))));
      expect(received.map((isNew, n) => isNew === (ids.indexOf(ids[n] ?? "") === n))).not.toContain(false);
      const entries = await store.apply((transaction) => transaction.pending(200));
      expect(entries.map(({ id }) => id)).toEqual([...new Set(ids)]);
    });

    test("gives messages in the order in which they came, and what is settled not again", async () => {
      const store = await open();
      for (const id of ["msg_b", "msg_c", "msg_a"]) await store.inbox.receive(gone(id));
      const first = await store.apply(async (transaction) => {
        const entries = await transaction.pending(2);
        await transaction.settle(entries.map(({ id }) => ({ id, status: "applied", error: null })));
        return entries;
      });
      expect(first.map(({ id, attempts }) => [id, attempts])).toEqual([
        ["msg_b", 0],
        ["msg_c", 0],
      ]);
      expect(first[0]?.body).toBe(gone("msg_b").body);
      const rest = await store.apply((transaction) => transaction.pending(2));
      expect(rest.map(({ id }) => id)).toEqual(["msg_a"]);
    });

    test("a message whose apply was taken back is still pending", async () => {
      const store = await open();
      await store.inbox.receive(gone("msg_1"));
      const failing = store.apply(async (transaction) => {
        await transaction.pending(1);
        await transaction.settle([{ id: "msg_1", status: "applied", error: null }]);
        throw new Error("cut off");
      });
      await expect(failing).rejects.toThrow("cut off");
      expect(await store.inbox.counts()).toMatchObject({ pending: 1 });
    });

    test("has a message of a membership that waits as parked, until it waits no more", async () => {
      const store = await open();
      const data = { id: "mem_1", role: "org:member", created_at: at(1), updated_at: at(1) };
      const joined = { ...data, organization: { id: "org_1" }, public_user_data: { user_id: "user_1" } };
      await store.inbox.receive(delivery("msg_1", "organizationMembership.created", joined));
      expect(await drain(store, { read: readEvent })).toMatchObject({ parked: 1 });
      await list(store, [user("user_1")]);
      expect(await store.inbox.counts()).toMatchObject({ parked: 1 });
      await list(store, [organization("org_1")]);
      expect(await store.inbox.counts()).toMatchObject({ pending: 0, parked: 0, dead: 0 });
    });

    test("is drained: what cannot be read is dead, the rest is applied", async () => {
      const store = await open();
      await list(store, [user("user_1")]);
      await store.inbox.receive({ ...gone("msg_1"), body: "{" });
      await store.inbox.receive(gone("msg_2"));
      expect(await drain(store, { read: readEvent })).toEqual({ applied: 1, parked: 0, ignored: 0, failed: 1 });
      expect(await known(store, "user", "user_1")).toMatchObject({ gone: true });
      expect(await store.inbox.counts()).toMatchObject({ pending: 0, dead: 1 });
    });
  });
}
