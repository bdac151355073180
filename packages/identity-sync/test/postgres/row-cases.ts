import { describe, expect, test } from "vitest";
import { referenceMapping } from "../../src/index.ts";
import { localId } from "../../src/model/local-id.ts";
import { at, membership, organization, user } from "../objects.ts";
import { list, write } from "../store-cases.ts";
import type { Place } from "./places.ts";
import { openStore } from "./places.ts";

const parents = [user("user_1"), organization("org_1")];
const joins = { user: "user_1", organization: "org_1" };
const rolesOf = "select clerk_membership_id as id, role::text as role from organization_memberships order by 1";

/** What stands in the rows of the reference schema. `open` gives a database with it, which goes with the test. */
export function rowCases(open: () => Promise<Place>): void {
  describe("rows", () => {
    test("have what the provider has, times to the millisecond and metadata as it is", async () => {
      const place = await open();
      await list(await openStore(place), [
        ...parents,
        membership("mem_1", joins, { fields: { permissions: ["a", "é"] } }),
      ]);
      const rows = await place.session.query(
        `select u.clerk_id, email, first_name, last_name, u.metadata::text as metadata, u.created_at::text as created_at,
                u.deleted_at, o.slug, m.role::text as role, m.permissions::text as permissions
           from organization_memberships m join users u on u.id = user_id join organizations o on o.id = organization_id`,
      );
      expect(rows).toEqual([
        {
          clerk_id: "user_1",
          email: "user_1@example.com",
          first_name: "Ada",
          last_name: null,
          metadata: '{"plan": "team", "nested": [1, null, "é"]}',
          created_at: "2026-05-01 00:00:00.123+00",
          deleted_at: null,
          slug: "org_1",
          role: "member",
          permissions: '["a", "é"]',
        },
      ]);
    });

    test("get ids that are made of the provider's; those that are there keep theirs", async () => {
      const place = await open();
      const own = "0b000000-0000-4000-8000-000000000001";
      await place.session.query("insert into users (id, clerk_id, email) values ($1, 'user_1', 'old@example.com')", [
        own,
      ]);
      expect(await list(await openStore(place), [user("user_1"), user("user_2")])).toBe(2);
      expect(await place.session.query("select id::text as id, clerk_id from users order by clerk_id")).toEqual([
        { id: own, clerk_id: "user_1" },
        { id: localId("user_2"), clerk_id: "user_2" },
      ]);
    });

    test("are not written again where nothing differs, and are where somebody else changed them", async () => {
      const place = await open();
      const store = await openStore(place);
      const objects = [...parents, user("user_2", { email: null }), membership("mem_1", joins)];
      const versions = (): Promise<unknown> =>
        place.session.query(
          "select xmin::text from users union all select xmin::text from organizations union all select xmin::text from identity_objects order by 1",
        );
      expect(await list(store, objects)).toBe(4);
      const before = await versions();
      expect(await list(store, objects)).toBe(0);
      expect(await versions()).toEqual(before);
      await place.session.query("update users set first_name = 'Mallory' where clerk_id = 'user_1'");
      expect(await list(store, objects)).toBe(1);
      expect(await list(store, objects)).toBe(0);
      expect(await place.session.query("select first_name from users where clerk_id = 'user_1'")).toEqual([
        { first_name: "Ada" },
      ]);
    });

    test("are deleted softly, once, and come back with the provider's word", async () => {
      const place = await open();
      const store = await openStore(place);
      await list(store, parents);
      const gone = [{ kind: "organization" as const, id: "org_1" }];
      const deleted = (): Promise<{ at: string | null }[]> =>
        place.session.query("select deleted_at::text as at from organizations");
      expect(await write(store, { gone })).toBe(1);
      const [first] = await deleted();
      expect(first?.at).toMatch(/^\d{4}-/);
      expect(await write(store, { gone })).toBe(0);
      expect(await deleted()).toEqual([first]);
      expect(await write(store, { present: [organization("org_1")] })).toBe(1);
      expect(await deleted()).toEqual([{ at: null }]);
    });

    test("of a membership that another one stands in for keep their id", async () => {
      const place = await open();
      const store = await openStore(place);
      await list(store, [...parents, membership("mem_1", joins)]);
      await list(store, [membership("mem_2", joins, { updatedAt: at(5), fields: { role: "org:admin" } })]);
      expect(
        await place.session.query(
          "select id::text as id, clerk_membership_id as of, role::text as role, deleted_at from organization_memberships",
        ),
      ).toEqual([{ id: localId("mem_1"), of: "mem_2", role: "admin", deleted_at: null }]);
    });

    test("that lose their address to another user have a stand-in", async () => {
      const place = await open();
      const store = await openStore(place);
      await list(store, [user("user_1")]);
      expect(await list(store, [user("user_2", { email: "user_1@example.com" }, at(1))])).toBe(2);
      expect(await place.session.query("select clerk_id, email from users order by clerk_id")).toEqual([
        { clerk_id: "user_1", email: "displaced-user_1-user_1@example.com" },
        { clerk_id: "user_2", email: "user_1@example.com" },
      ]);
    });

    test("have the provider's id where a value must be and is not there", async () => {
      const place = await open();
      const store = await openStore(place);
      const without = [
        user("user_1", { email: null }),
        user("user_2", { email: null }),
        organization("org_1", { name: null }),
      ];
      expect(await list(store, without)).toBe(3);
      expect(
        await place.session.query("select email from users union all select name from organizations order by 1"),
      ).toEqual([{ email: "" }, { email: "user_1" }, { email: "user_2" }]);
      expect(await list(store, without)).toBe(0);
    });

    test("keep what no mapping names", async () => {
      const place = await open();
      const store = await openStore(place, {
        ...referenceMapping,
        users: { ...referenceMapping.users, columns: { email: "email" } },
      });
      await list(store, [user("user_1")]);
      await place.session.query("update users set first_name = 'Grace', metadata = '{\"own\": true}'");
      await list(store, [user("user_1", { email: "new@example.com" }, at(1))]);
      expect(await place.session.query("select email, first_name, metadata::text as metadata from users")).toEqual([
        { email: "new@example.com", first_name: "Grace", metadata: '{"own": true}' },
      ]);
    });
  });

  describe("roles", () => {
    const people = [...parents, user("user_2")];
    const members = (role: string): ReturnType<typeof membership>[] => [
      membership("mem_1", joins, { fields: { role: "org:admin" } }),
      membership("mem_2", { ...joins, user: "user_2" }, { fields: { role } }),
    ];

    test("are the project's words, others what `*` says", async () => {
      const place = await open();
      await list(await openStore(place), [...people, ...members("org:billing")]);
      expect(await place.session.query(rolesOf)).toEqual([
        { id: "mem_1", role: "admin" },
        { id: "mem_2", role: "viewer" },
      ]);
    });

    test("that nobody maps are an error that names role and membership, and nothing is written", async () => {
      const place = await open();
      const store = await openStore(place, { ...referenceMapping, roles: { "org:admin": "admin" } });
      await expect(list(store, [...people, ...members("org:billing")])).rejects.toMatchObject({
        code: "REPLANT_IDENTITY_ROLE",
        message: 'membership mem_2 has the role "org:billing", which is not mapped',
      });
      expect(await place.session.query("select from users")).toEqual([]);
    });

    test("are no properties that every object has", async () => {
      const place = await open();
      const store = await openStore(place, { ...referenceMapping, roles: { "org:admin": "admin" } });
      await expect(list(store, [...people, ...members("constructor")])).rejects.toMatchObject({
        code: "REPLANT_IDENTITY_ROLE",
      });
    });

    test("are written as they are where there is no map", async () => {
      const place = await open();
      const store = await openStore(place, { ...referenceMapping, roles: null });
      await list(store, [...parents, membership("mem_1", joins, { fields: { role: "viewer" } })]);
      expect(await place.session.query(rolesOf)).toEqual([{ id: "mem_1", role: "viewer" }]);
    });
  });
}
