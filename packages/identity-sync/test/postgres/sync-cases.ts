import { describe, expect, test } from "vitest";
import type { ProviderObject, SyncTransaction } from "../../src/index.ts";
import type { PostgresIdentityStore } from "../../src/postgres/index.ts";
import { at, membership, organization, user } from "../objects.ts";
import { list, write } from "../store-cases.ts";
import type { Place } from "./places.ts";
import { openStore } from "./places.ts";

const parents = [user("user_1"), organization("org_1")];
const joins = { user: "user_1", organization: "org_1" };
const counts = { user: 1, organization: 2, membership: 3 };

/** What pull, drift and reconcile ask a database for. `open` gives one with the reference schema, which goes with the test. */
export function syncCases(open: () => Promise<Place>): void {
  async function opened(): Promise<{ place: Place; store: PostgresIdentityStore; ask: Ask }> {
    const place = await open();
    const store = await openStore(place);
    return { place, store, ask: (question) => store.apply(question) };
  }
  type Ask = <Value>(question: (transaction: SyncTransaction) => Promise<Value>) => Promise<Value>;

  test("the state is remembered part by part", async () => {
    const { ask } = await opened();
    const none = { instance: null, watermark: null, pull: null, lastFull: null };
    expect(await ask((transaction) => transaction.state())).toEqual(none);
    expect(await ask((transaction) => transaction.watermark())).toBeNull();
    const pull = { startedAt: at(1), kind: "user" as const, after: "user_1", listed: counts };
    await ask((transaction) => transaction.setState({ pull, instance: { id: "ins_1", environment: "development" } }));
    await ask((transaction) => transaction.setState({ pull: null, watermark: at(1), lastFull: { at: at(1), counts } }));
    expect(await ask((transaction) => transaction.state())).toEqual({
      instance: { id: "ins_1", environment: "development" },
      watermark: at(1),
      pull: null,
      lastFull: { at: at(1), counts },
    });
    expect(await ask((transaction) => transaction.watermark())).toBe(at(1));
  });

  test("unseen are rows that are there, and memberships that wait, until a listing has them", async () => {
    const seen = "select kind from identity_seen order by kind";
    const { place, store, ask } = await opened();
    const waiting = membership("mem_2", { user: "user_1", organization: "org_9" });
    await write(store, {
      present: [...parents, user("user_2"), user("user_3"), membership("mem_1", joins)],
      gone: [{ kind: "user", id: "user_3" }],
      parked: [waiting],
    });
    expect(await ask((transaction) => transaction.unseen("user"))).toEqual([
      { id: "user_1", joins: null },
      { id: "user_2", joins: null },
    ]);
    expect(await ask((transaction) => transaction.unseen("membership"))).toEqual([
      { id: "mem_1", joins },
      { id: "mem_2", joins: waiting.joins },
    ]);
    await ask(async (transaction) => {
      await transaction.markSeen("user", ["user_1", "user_1"]);
      await transaction.markSeen("user", ["user_1"]);
      await transaction.markSeen("membership", ["mem_2"]);
    });
    expect(await place.session.query(seen)).toEqual([{ kind: "membership" }, { kind: "user" }]);
    expect(await ask((transaction) => transaction.unseen("user"))).toEqual([{ id: "user_2", joins: null }]);
    expect(await ask((transaction) => transaction.unseen("membership"))).toEqual([{ id: "mem_1", joins }]);
    await ask((transaction) => transaction.forgetSeen());
    expect(await place.session.query(seen)).toEqual([]);
  });

  test("count and ids are of rows that the provider knows and has not deleted", async () => {
    const { place, store, ask } = await opened();
    await write(store, {
      present: [...parents, user("user_2"), membership("mem_1", joins)],
      gone: [{ kind: "user", id: "user_2" }],
    });
    await place.session.script("alter table users alter column clerk_id drop not null");
    await place.session.query("insert into users (email) values ('local@example.com')");
    expect(await ask((transaction) => transaction.count("user"))).toBe(1);
    expect(await ask((transaction) => transaction.ids("user"))).toEqual([{ id: "user_1", joins: null }]);
    expect(await ask((transaction) => transaction.ids("membership"))).toEqual([{ id: "mem_1", joins }]);
  });

  test("the newest user is the one that the provider changed last", async () => {
    const { store, ask } = await opened();
    expect(await ask((transaction) => transaction.newestUserAt())).toBe(-Infinity);
    await list(store, [user("user_1", {}, at(5)), user("user_2", {}, at(3)), organization("org_1", {}, at(9))]);
    expect(await ask((transaction) => transaction.newestUserAt())).toBe(at(5));
  });

  describe("compare", () => {
    const differences = (ask: Ask, objects: readonly ProviderObject[]): Promise<unknown> =>
      ask((transaction) => transaction.compare(objects[0]?.kind ?? "user", objects));
    const equal = { missing: [], different: [] };

    test("finds no difference after everything was written", async () => {
      const { store, ask } = await opened();
      const member = membership("mem_1", joins, { fields: { permissions: ["read"], role: "org:other" } });
      await list(store, [...parents, member]);
      expect(await differences(ask, [user("user_1")])).toEqual(equal);
      expect(await differences(ask, [organization("org_1")])).toEqual(equal);
      expect(await differences(ask, [member])).toEqual(equal);
      expect(await differences(ask, [])).toEqual(equal);
    });

    test("names rows that are missing or deleted, and the fields of the others", async () => {
      const { place, store, ask } = await opened();
      await list(store, [...parents, user("user_2"), user("user_3")]);
      await place.session.query("update users set deleted_at = now() where clerk_id = 'user_2'");
      const people = [
        user("user_1", { firstName: null, publicMetadata: { plan: "free" } }),
        user("user_2"),
        user("user_3"),
        user("user_4"),
      ];
      expect(await differences(ask, people)).toEqual({
        missing: ["user_2", "user_4"],
        different: [{ id: "user_1", fields: ["firstName", "publicMetadata"] }],
      });
    });

    test("looks at what a membership joins", async () => {
      const { store, ask } = await opened();
      await list(store, [...parents, organization("org_2"), membership("mem_1", joins)]);
      expect(await differences(ask, [membership("mem_1", { ...joins, organization: "org_2" })])).toEqual({
        missing: [],
        different: [{ id: "mem_1", fields: ["organization"] }],
      });
    });
  });

  test("dependents are rows of other tables, and go with a row that is dropped", async () => {
    const { place, store, ask } = await opened();
    await list(store, [...parents, organization("org_2"), membership("mem_1", joins)]);
    await place.session.script(
      `insert into sessions (user_id, clerk_session_id, expires_at) select id, 'session_' || n, now() from users, generate_series(1, 2) n;
       insert into api_keys (organization_id, created_by, name, key_prefix, key_hash)
         select o.id, u.id, 'key', 'k', 'hash' from users u, organizations o where o.clerk_id = 'org_1'`,
    );
    const dependents = (kind: "user" | "organization", id: string): Promise<unknown> =>
      ask((transaction) => transaction.dependents(kind, id));
    expect(await dependents("user", "user_1")).toEqual([
      { table: "api_keys", rows: 1 },
      { table: "sessions", rows: 2 },
    ]);
    expect(await dependents("organization", "org_1")).toEqual([{ table: "api_keys", rows: 1 }]);
    expect(await dependents("organization", "org_2")).toEqual([]);
    expect(await ask((transaction) => transaction.dependents("membership", "mem_1"))).toEqual([]);
    await ask((transaction) => transaction.drop("user", ["user_1", "user_9"]));
    expect(await place.session.query("select from users union all select from sessions")).toEqual([]);
    expect(await place.session.query("select created_by from api_keys")).toEqual([{ created_by: null }]);
  });

  test("a message that cannot be stored keeps no other out", async () => {
    const { store } = await opened();
    const event = { type: "user.deleted", occurredAt: at(1), instance: null, subject: null, change: null };
    const bodies = ["{}", "\0", '{"a":"\\u0000 \u{1f331}"}', "{ }"];
    const received = await Promise.allSettled(
      bodies.map((body, n) => store.inbox.receive({ id: `msg_${n}`, body, verified: true, event })),
    );
    expect(received.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    const stored = await store.apply((transaction) => transaction.pending(9));
    expect(stored.map(({ body }) => body)).toEqual(bodies.filter((body) => body !== "\0"));
  });

  test("messages are requeued by id, by time, or when they are dead", async () => {
    const { store, ask } = await opened();
    const event = { type: "user.deleted", occurredAt: at(1), instance: null, subject: null, change: null };
    const statuses = { msg_1: "applied", msg_2: "dead", msg_3: "dead", msg_4: "ignored" } as const;
    for (const id of Object.keys(statuses)) await store.inbox.receive({ id, body: "{}", verified: true, event });
    const { oldestPendingAt } = await store.inbox.counts();
    const settle = (): Promise<void> =>
      ask(async (transaction) => {
        await transaction.pending(9);
        await transaction.settle(Object.entries(statuses).map(([id, status]) => ({ id, status, error: "why" })));
      });
    await settle();
    expect(await store.inbox.counts()).toEqual({ pending: 0, parked: 0, dead: 2, oldestPendingAt: null });
    expect(await store.inbox.requeue({ id: "msg_1" })).toBe(1);
    expect(await store.inbox.requeue("dead")).toBe(2);
    expect(await store.inbox.requeue("dead")).toBe(0);
    const again = await ask((transaction) => transaction.pending(9));
    expect(again.map(({ id, attempts }) => [id, attempts])).toEqual([
      ["msg_1", 1],
      ["msg_2", 1],
      ["msg_3", 1],
    ]);
    await settle();
    expect(await store.inbox.requeue({ since: (oldestPendingAt ?? 0) + 3_600_000 })).toBe(0);
    expect(await store.inbox.requeue({ since: oldestPendingAt ?? 0 })).toBe(4);
  });
}
