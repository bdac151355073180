import { describe, expect, test } from "vitest";
import type { IdentityProvider, ProviderObject, SyncTransaction } from "../src/index.ts";
import { adoptPlaceholders, applyChanges, createIdentities, remap, textOf } from "../src/index.ts";
import { MemoryStore } from "./memory-store.ts";

function user(id: string, email: string, externalId: string | null = null): ProviderObject {
  return { kind: "user", id, createdAt: 1, updatedAt: 1, fields: { email, externalId }, joins: null };
}

function organization(id: string, slug: string): ProviderObject {
  return { kind: "organization", id, createdAt: 1, updatedAt: 1, fields: { slug }, joins: null };
}

/** An instance that has these, and answers nothing else. */
function instanceOf(
  id: string,
  objects: readonly ProviderObject[],
  environment: "development" | "production" = "development",
): IdentityProvider {
  const unused = (): never => {
    throw new Error("not asked for");
  };
  const having = (field: string) => async (values: readonly string[]) =>
    objects.filter((object) => values.some((value) => value.toLowerCase() === textOf(object, field)?.toLowerCase()));
  return {
    name: "made up",
    capabilities: { cursor: true, instanceWideMemberships: true, orderedEvents: false, deletesVisible: true },
    instance: async () => ({ id, environment, now: 1 }),
    list: async (kind) => ({ objects: objects.filter((object) => object.kind === kind), next: null, total: null }),
    find: async (_kind, references) => objects.filter((object) => references.some((wanted) => wanted.id === object.id)),
    usersByEmail: having("email"),
    usersByExternalId: having("externalId"),
    organizationsBySlug: having("slug"),
    readEvent: unused,
    look: unused,
    ensureUser: unused,
  };
}

async function storeWith(...objects: ProviderObject[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.apply(async (transaction: SyncTransaction) => {
    await transaction.setState({ instance: { id: "ins_old", environment: "development" } });
    await applyChanges(
      transaction,
      objects.map((object) => ({ change: { type: "present", object }, from: "listing" })),
    );
  });
  return store;
}

const ids = (store: MemoryStore): string[] => [
  ...store.state.rows.user.keys(),
  ...store.state.rows.organization.keys(),
];

describe("a database that is to belong to another instance", () => {
  const here = [user("user_1", "a@x"), user("user_2", "B@x"), user("user_3", "c@x"), organization("org_1", "acme")];
  const there = [user("user_a", "a@x"), user("user_b", "b@x"), organization("org_a", "acme")];

  test("gets the ids that the same people have there, and keeps its rows", async () => {
    const store = await storeWith(...here);
    const localId = store.state.rows.user.get("user_1")?.localId;
    const remapped = await remap(instanceOf("ins_new", there), store, { by: "email" });
    expect(remapped).toEqual({
      from: "ins_old",
      to: "ins_new",
      users: [
        { from: "user_1", to: "user_a", key: "a@x" },
        { from: "user_2", to: "user_b", key: "B@x" },
      ],
      organizations: [{ from: "org_1", to: "org_a", key: "acme" }],
      unmatched: ["user_3"],
    });
    expect(ids(store).toSorted()).toEqual(["org_a", "user_3", "user_a", "user_b"]);
    expect(store.state.rows.user.get("user_a")?.localId).toBe(localId);
    expect(store.state.sync.instance).toEqual({ id: "ins_new", environment: "development" });
  });

  test("only says so in a rehearsal", async () => {
    const store = await storeWith(...here);
    await remap(instanceOf("ins_new", there), store, { by: "email", dryRun: true });
    expect(ids(store)).toEqual(["user_1", "user_2", "user_3", "org_1"]);
    expect(store.state.sync.instance?.id).toBe("ins_old");
  });

  test.each([
    ["two people there", [user("user_a", "a@x"), user("user_b", "A@x")], "a@x: user_1 here, user_a, user_b there"],
    ["two rows here", [user("user_a", "d@x")], "d@x: user_4, user_5 here, user_a there"],
  ])("is left alone where somebody could be %s", async (_what, objects, line) => {
    const store = await storeWith(...here, user("user_4", "d@x"), user("user_5", "D@x"));
    const attempt = remap(instanceOf("ins_new", objects), store, { by: "email" });
    await expect(attempt).rejects.toMatchObject({
      code: "REPLANT_IDENTITY_AMBIGUOUS",
      details: { items: expect.arrayContaining([line]) as string[] },
    });
    expect(ids(store)).toContain("user_1");
    expect(store.state.sync.instance?.id).toBe("ins_old");
  });

  test("is refused the production instance", async () => {
    const attempt = remap(instanceOf("ins_live", there, "production"), await storeWith(...here), { by: "email" });
    await expect(attempt).rejects.toMatchObject({ code: "REPLANT_IDENTITY_PRODUCTION" });
  });
});

describe("people of seeds", () => {
  const ada = user("user_a", "ada@x", "admin");

  test.each([{ email: "ada@x" }, { externalId: "admin" }, { providerId: "user_a" }])("are found by %j", async (by) => {
    const found = await createIdentities(instanceOf("ins", [ada]), "s").require("ada", by);
    expect(found).toMatchObject({ providerId: "user_a", email: "ada@x", placeholder: false });
  });

  test("who are nobody, or two, are an error that lists who is there", async () => {
    const identities = createIdentities(
      instanceOf("ins", [ada, user("user_b", "twin@x"), user("user_c", "TWIN@x")]),
      "s",
    );
    for (const email of ["zed@x", "twin@x"]) {
      await expect(identities.require("somebody", { email })).rejects.toMatchObject({
        code: "REPLANT_IDENTITY_UNRESOLVED",
        details: { items: expect.arrayContaining(["ada@x  user_a"]) as string[] },
      });
    }
  });

  test("are the same placeholder every time, and one real person later", async () => {
    const offline = createIdentities(null, "placeholders");
    const first = await offline.require("ada", { email: "ada@x" });
    expect(first).toEqual(await offline.ensure("ada", { externalId: "admin", email: "ada@x" }));
    expect(first).toMatchObject({ providerId: "placeholder_ada", placeholder: true });
    const store = await storeWith(user(first.providerId, "ada@x"));
    const elsewhere = adoptPlaceholders(instanceOf("ins_other", [ada]), store);
    await expect(elsewhere).rejects.toMatchObject({ code: "REPLANT_IDENTITY_INSTANCE" });
    expect(await adoptPlaceholders(instanceOf("ins_old", [ada]), store)).toEqual([
      { from: "placeholder_ada", to: "user_a" },
    ]);
    expect(ids(store)).toEqual(["user_a"]);
    expect(await adoptPlaceholders(instanceOf("ins_old", [ada]), store)).toEqual([]);
  });
});
