import { describe, expect, test } from "vitest";
import type { Change, Kind, Outcome, ProviderObject, Told } from "../src/index.ts";
import { applyChanges } from "../src/index.ts";
import { MemoryStore } from "./memory-store.ts";

function user(id: string, updatedAt: number, email = `${id}@example.com`): ProviderObject {
  return { kind: "user", id, createdAt: 1, updatedAt, fields: { email }, joins: null };
}

function organization(id: string, updatedAt: number, slug = id): ProviderObject {
  return { kind: "organization", id, createdAt: 1, updatedAt, fields: { slug }, joins: null };
}

function membership(id: string, updatedAt: number): ProviderObject {
  const joins = { user: "u", organization: "o" };
  return { kind: "membership", id, createdAt: updatedAt, updatedAt, fields: { role: "org:member" }, joins };
}

const gone = (kind: Kind, id: string): Change => ({ type: "gone", kind, id });
const present = (object: ProviderObject): Change => ({ type: "present", object });

async function events(store: MemoryStore, ...changes: Change[]): Promise<readonly Outcome[]> {
  const told = changes.map((change): Told => ({ change, from: { eventAt: null } }));
  return (await store.apply((transaction) => applyChanges(transaction, told))).outcomes;
}

function alive(store: MemoryStore, kind: Kind): string[] {
  return [...store.state.rows[kind]].filter(([, { deleted }]) => !deleted).map(([id]) => id);
}

const emailOf = (store: MemoryStore, id: string): unknown => store.state.rows.user.get(id)?.object.fields["email"];

describe("an object", () => {
  test("that is gone does not come back, not even with a newer state", async () => {
    const store = new MemoryStore();
    expect(await events(store, gone("user", "u"))).toEqual(["applied"]);
    expect(await events(store, present(user("u", 99)))).toEqual(["tombstoned"]);
    expect(alive(store, "user")).toEqual([]);
  });

  test("is not replaced by an older state, nor by the same again", async () => {
    const store = new MemoryStore();
    const states = [present(user("u", 5, "new@example.com")), present(user("u", 4, "old@example.com"))];
    expect(await events(store, ...states)).toEqual(["applied", "applied"]);
    expect(await events(store, ...states)).toEqual(["stale", "stale"]);
    expect(emailOf(store, "u")).toBe("new@example.com");
  });

  test("of an event from before the last listing is no news, a deletion always is", async () => {
    const store = new MemoryStore();
    await events(store, present(user("u", 1)));
    await store.apply((transaction) => transaction.setState({ watermark: 10 }));
    expect(await events(store, present(user("v", 9)), present(user("w", 10)), gone("user", "u"))).toEqual([
      "hint",
      "applied",
      "applied",
    ]);
    expect(alive(store, "user")).toEqual(["w"]);
  });
});

describe("a unique value", () => {
  test("belongs to who has had it last; the other has a stand-in until its own news come", async () => {
    const store = new MemoryStore();
    await events(store, present(user("a", 1, "x@example.com")));
    await events(store, present(user("b", 2, "x@example.com")));
    expect(emailOf(store, "a")).toBe("displaced-a-x@example.com");
    expect(emailOf(store, "b")).toBe("x@example.com");
    await events(store, present(user("c", 1, "x@example.com")));
    expect(emailOf(store, "c")).toBe("displaced-c-x@example.com");
    await events(store, present(user("a", 3, "y@example.com")));
    expect(emailOf(store, "a")).toBe("y@example.com");
  });

  test("is exchanged by two within one batch", async () => {
    const store = new MemoryStore();
    await events(store, present(user("a", 1, "x@example.com")), present(user("b", 1, "y@example.com")));
    await events(store, present(user("a", 2, "y@example.com")), present(user("b", 3, "x@example.com")));
    expect([emailOf(store, "a"), emailOf(store, "b")]).toEqual(["y@example.com", "x@example.com"]);
  });

  test("is never held by one that is gone, whatever its clock says", async () => {
    const store = new MemoryStore();
    await events(store, present(user("a", 9, "x@example.com")));
    await events(store, gone("user", "a"));
    await events(store, present(user("b", 2, "x@example.com")));
    expect(emailOf(store, "b")).toBe("x@example.com");
  });
});

describe("a membership", () => {
  test("waits for its user and its organization, and comes with the second of them", async () => {
    const store = new MemoryStore();
    expect(await events(store, present(membership("m", 5)))).toEqual(["parked"]);
    expect(await events(store, present(membership("m", 4)))).toEqual(["parked"]);
    await events(store, present(user("u", 1)));
    expect(alive(store, "membership")).toEqual([]);
    await events(store, present(organization("o", 1)));
    expect(alive(store, "membership")).toEqual(["m"]);
    expect(store.state.rows.membership.get("m")?.object.updatedAt).toBe(5);
    expect(store.state.parked.size).toBe(0);
  });

  test("that waits comes with both of them at once, and waits no more", async () => {
    const store = new MemoryStore();
    await events(store, present(membership("m", 5)));
    await events(store, present(user("u", 1)), present(organization("o", 1)));
    expect(alive(store, "membership")).toEqual(["m"]);
    expect(store.state.parked.size).toBe(0);
  });

  test("goes with its user, also while it waits, and one that comes late does not come back", async () => {
    const store = new MemoryStore();
    await events(store, present(user("u", 1)), present(membership("waiting", 1)));
    await events(store, gone("user", "u"));
    expect(store.state.parked.size).toBe(0);
    await events(store, present(organization("o", 1)));
    expect(await events(store, present(membership("late", 9)))).toEqual(["tombstoned"]);
    expect(alive(store, "membership")).toEqual([]);
  });

  test("of a user who left and came back takes the row of the one before, whichever event comes first", async () => {
    const store = new MemoryStore();
    await events(store, present(user("u", 1)), present(organization("o", 1)), present(membership("first", 9)));
    const localId = store.state.rows.membership.get("first")?.localId;
    await events(store, gone("membership", "first"));
    await events(store, present(membership("second", 3)));
    expect(alive(store, "membership")).toEqual(["second"]);
    expect(store.state.rows.membership.get("second")?.localId).toBe(localId);
    expect(await events(store, present(membership("first", 9)))).toEqual(["tombstoned"]);
    expect(await events(store, present(membership("zeroth", 2)))).toEqual(["tombstoned"]);
  });
});
