import { describe, expect, test } from "vitest";
import type { IdentityMapping } from "../../src/index.ts";
import { defaultOwnTables, referenceMapping } from "../../src/index.ts";
import { schemaSql } from "../../src/postgres/index.ts";
import { at, membership, organization, user } from "../objects.ts";
import { list, write } from "../store-cases.ts";
import { openStore, referenceScripts, serverPlaces } from "./places.ts";

const joins = { user: "user_1", organization: "org_1" };
const all = [user("user_1"), organization("org_1"), membership("mem_1", joins)];

/** A mapping of one column each onto tables that a test makes. */
function mappingOf(change: (mapping: IdentityMapping) => Partial<IdentityMapping>): IdentityMapping {
  const table = (name: string): { schema: string; name: string } => ({ schema: "public", name });
  const mapping: IdentityMapping = {
    users: { table: table("people"), id: "clerk", columns: { mail: "email" }, deletedAt: null },
    organizations: { table: table("teams"), id: "clerk", columns: { title: "name" }, deletedAt: null },
    memberships: {
      table: table("seats"),
      id: "clerk",
      user: "person",
      organization: "team",
      columns: { role: "role" },
      deletedAt: null,
    },
    roles: null,
    own: defaultOwnTables,
  };
  return { ...mapping, ...change(mapping) };
}

const unchanged = mappingOf(() => ({}));
const own = schemaSql(defaultOwnTables);

/** Tables as they are without Prisma: numbers for ids, and rows that are gone are deleted. */
const numbered = `
  create table people (id serial primary key, clerk varchar(40) not null unique, mail varchar(60) unique);
  create table teams (id int generated always as identity primary key, clerk text unique, title text);
  create table seats (id bigserial primary key, clerk text unique, role text,
    person int not null references people on delete restrict, team int not null references teams, unique (person, team));
  create table notes (id serial primary key, person int references people on delete cascade);`;

describe("a database of PostgreSQL 18", () => {
  const open = serverPlaces(18);

  test("with numbers for ids and no soft deletion: rows go, and equal rows use up no number", async () => {
    const place = await open([numbered, own]);
    const store = await openStore(place, unchanged);
    expect(await list(store, all)).toBe(3);
    expect(await list(store, all)).toBe(0);
    expect(await list(store, [user("user_2")])).toBe(1);
    expect(await place.session.query("select id, clerk from people order by id")).toEqual([
      { id: 1, clerk: "user_1" },
      { id: 2, clerk: "user_2" },
    ]);
    const gone = [
      { kind: "user" as const, id: "user_1" },
      { kind: "membership" as const, id: "mem_1" },
    ];
    expect(await write(store, { gone })).toBe(2);
    expect(await place.session.query("select clerk from people union all select clerk from seats")).toEqual([
      { clerk: "user_2" },
    ]);
    expect(await write(store, { gone })).toBe(0);
    expect(await store.apply((transaction) => transaction.unseen("user"))).toEqual([{ id: "user_2", joins: null }]);
  });

  test("with names that are hostile to SQL", async () => {
    const hostile = `a "quoted"; drop table people; --'$1`;
    const name = (part: string): string => `${part} ${hostile}`;
    const quoted = (part: string): string => `"${name(part).replaceAll('"', '""')}"`;
    const place = await open([
      numbered,
      `create schema ${quoted("Schema")};
       create table ${quoted("Schema")}.${quoted("Users")} (${quoted("Id")} uuid primary key, ${quoted("Clerk")} text unique,
         ${quoted("Mail")} text unique, ${quoted("Gone")} timestamp);
       create table ${quoted("Schema")}.${quoted("Teams")} (${quoted("Clerk")} text primary key, ${quoted("Name")} text);
       create table ${quoted("Schema")}.${quoted("Seats")} (${quoted("Clerk")} text unique,
         ${quoted("User")} uuid references ${quoted("Schema")}.${quoted("Users")},
         ${quoted("Team")} text references ${quoted("Schema")}.${quoted("Teams")}, ${quoted("Role")} text);
       create table ${quoted("Notes")} (${quoted("Of")} uuid references ${quoted("Schema")}.${quoted("Users")});`,
      schemaSql({
        ...defaultOwnTables,
        inbox: { schema: "public", name: name("Inbox") },
        seen: { schema: "public", name: name("Seen") },
      }),
    ]);
    const table = (part: string): { schema: string; name: string } => ({ schema: name("Schema"), name: name(part) });
    const store = await openStore(
      place,
      mappingOf(() => ({
        users: {
          table: table("Users"),
          id: name("Clerk"),
          columns: { [name("Mail")]: "email" },
          deletedAt: name("Gone"),
        },
        organizations: {
          table: table("Teams"),
          id: name("Clerk"),
          columns: { [name("Name")]: "name" },
          deletedAt: null,
        },
        memberships: {
          table: table("Seats"),
          id: name("Clerk"),
          user: name("User"),
          organization: name("Team"),
          columns: { [name("Role")]: "role" },
          deletedAt: null,
        },
        own: {
          ...defaultOwnTables,
          inbox: { schema: "public", name: name("Inbox") },
          seen: { schema: "public", name: name("Seen") },
        },
      })),
    );
    expect(await list(store, all)).toBe(3);
    expect(await list(store, all)).toBe(0);
    expect(await list(store, [user("user_2", { email: "user_1@example.com" }, at(1))])).toBe(2);
    expect(await list(store, [membership("mem_2", joins, { updatedAt: at(2) })])).toBe(1);
    await place.session.query(
      `insert into ${quoted("Notes")} select ${quoted("Id")} from ${quoted("Schema")}.${quoted("Users")}`,
    );
    const asked = await store.apply(async (transaction) => {
      await transaction.markSeen("user", ["user_1"]);
      return {
        unseen: await transaction.unseen("user"),
        pairs: (await transaction.pairs([membership("mem_9", joins)])).map(({ id }) => id),
        dependents: await transaction.dependents("user", "user_1"),
        compared: await transaction.compare("membership", [membership("mem_2", joins)]),
        pending: await transaction.pending(1),
      };
    });
    expect(asked).toEqual({
      unseen: [{ id: "user_2", joins: null }],
      pairs: ["mem_2"],
      dependents: [{ table: name("Notes"), rows: 1 }],
      compared: { missing: [], different: [] },
      pending: [],
    });
    await store.apply((transaction) => transaction.drop("membership", ["mem_2"]));
    expect(await write(store, { gone: [{ kind: "user", id: "user_1" }] })).toBe(1);
    expect(await place.session.query("select from people")).toEqual([]);
  });

  test("with ids of the provider that are hostile to SQL", async () => {
    const place = await open([numbered, own]);
    const store = await openStore(place, unchanged);
    const id = `u'"\\{},é;--`;
    await list(store, [user(id), organization(id), membership(id, { user: id, organization: id })]);
    expect(await store.apply((transaction) => transaction.ids("membership"))).toEqual([
      { id, joins: { user: id, organization: id } },
    ]);
    expect(await write(store, { gone: [{ kind: "membership", id }] })).toBe(1);
  });

  test("with columns of other types than the provider's", async () => {
    const place = await open([
      `create domain address as text check (value ~ '@');
       create table people (id uuid primary key, clerk text unique, mail address, at timestamp(3), day date, ms bigint, said text,
         meta json, plan text not null, flag boolean, double text generated always as (clerk || clerk) stored);
       create table teams (id uuid primary key, clerk text unique, title char(20), seats integer);
       create table seats (id uuid primary key, clerk text unique, role text, may text[] not null, person uuid, team uuid);`,
      own,
    ]);
    const store = await openStore(
      place,
      mappingOf(({ users, organizations, memberships }) => ({
        users: {
          ...users,
          columns: {
            mail: "email",
            at: "createdAt",
            day: "createdAt",
            ms: "updatedAt",
            said: "updatedAt",
            meta: "publicMetadata",
            plan: "username",
            flag: "banned",
            double: "username",
          },
        },
        organizations: { ...organizations, columns: { title: "name", seats: "maxAllowedMemberships" } },
        memberships: { ...memberships, columns: { role: "role", may: "permissions" } },
      })),
    );
    const objects = [
      user("user_1", { banned: true, username: null }),
      organization("org_1", { maxAllowedMemberships: 5 }),
      membership("mem_1", joins, { fields: { permissions: ["org:read", 'quo"ted'] } }),
    ];
    expect(await list(store, objects)).toBe(3);
    expect(await list(store, objects)).toBe(0);
    expect(
      await place.session.query(
        `select mail::text, at::text, day::text, ms::text, said, meta::text, plan, flag, double, trim(title) as title, seats, may
           from people, teams, seats`,
      ),
    ).toEqual([
      {
        mail: "user_1@example.com",
        at: "2026-05-01 00:00:00.123",
        day: "2026-05-01",
        ms: String(at(0)),
        said: "2026-05-01 00:00:00.123+00",
        meta: '{"plan": "team", "nested": [1, null, "é"]}',
        plan: "",
        flag: true,
        double: "user_1user_1",
        title: "Organization org_1",
        seats: 5,
        may: ["org:read", 'quo"ted'],
      },
    ]);
    const none = { missing: [], different: [] };
    for (const object of objects) {
      expect(await store.apply((transaction) => transaction.compare(object.kind, [object]))).toEqual(none);
    }
  });

  test("never cuts what is too long, and takes the whole batch back", async () => {
    const place = await open([numbered, own]);
    const store = await openStore(place, unchanged);
    const long = user("user_2", { email: `${"x".repeat(60)}@example.com` });
    await expect(list(store, [user("user_1"), long])).rejects.toMatchObject({ code: "22001" });
    expect(await place.session.query("select from people")).toEqual([]);
  });

  test("that lacks what the mapping names: all of it is listed", async () => {
    const place = await open([
      "create table people (id int primary key, mail text)",
      "create type r as enum ('a')",
      "create table seats (clerk text, role r, person int, team int)",
    ]);
    const mapping = mappingOf(() => ({ roles: { "org:admin": "admin", "*": "a" } }));
    await expect(openStore(place, mapping)).rejects.toMatchObject({
      code: "REPLANT_IDENTITY_SCHEMA",
      details: {
        items: [
          "column people.clerk is missing",
          "table teams is missing",
          "column seats.clerk is not unique",
          'seats.role has no value "admin", which the roles map to',
          "table identity_inbox is missing",
          "table identity_objects is missing",
          "table identity_parked is missing",
          "table identity_seen is missing",
          "table identity_state is missing",
        ],
        hint: expect.stringContaining("replant identity schema"),
      },
    });
  });

  test("that has too little in the own tables", async () => {
    const place = await open([numbered, own, "alter table identity_inbox drop column number"]);
    await expect(openStore(place, unchanged)).rejects.toMatchObject({
      code: "REPLANT_IDENTITY_SCHEMA",
      details: { items: ["column identity_inbox.number is missing"] },
    });
  });

  test("one apply waits for the other, and messages for none", async () => {
    const place = await open(referenceScripts);
    const [one, other] = [await openStore(place), await openStore(place)];
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const order: string[] = [];
    const first = one.apply(async (transaction) => {
      entered.resolve();
      await leave.promise;
      order.push("first");
      return transaction.count("user");
    });
    await entered.promise;
    const second = other.apply(async (transaction) => {
      order.push("second");
      return transaction.count("user");
    });
    const event = { type: "user.deleted", occurredAt: null, instance: null, subject: null, change: null };
    expect(await one.inbox.receive({ id: "msg_1", body: "{}", verified: true, event })).toBe(true);
    const waits = "select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()";
    await expect.poll(() => place.session.query(waits)).toHaveLength(1);
    leave.resolve();
    expect(await Promise.all([first, second])).toEqual([0, 0]);
    expect(order).toEqual(["first", "second"]);
  });

  test("two stores list the same at once, and every row is there once", async () => {
    const place = await open(referenceScripts);
    const [one, other] = [await openStore(place, referenceMapping), await openStore(place, referenceMapping)];
    const changed = await Promise.all([one, other, one, other].map((store) => list(store, all)));
    expect(changed.reduce((sum, rows) => sum + rows)).toBe(3);
    expect(await place.session.query("select email from users")).toHaveLength(1);
  });

  test("whose sessions were ended is connected to again", async () => {
    const place = await open(referenceScripts);
    const store = await openStore(place);
    await list(store, all);
    await store.inbox.counts();
    await place.session.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    // The first message after a swap finds its session gone, and is stored all the same.
    const event = { type: "email.created", occurredAt: null, instance: null, subject: null, change: null };
    const messages = ["msg_1", "msg_2"].map((id) => ({ id, body: "{}", verified: true, event }));
    expect(await Promise.all(messages.map((message) => store.inbox.receive(message)))).toEqual([true, true]);
    expect((await store.inbox.counts()).pending).toBe(2);
    await store.apply((transaction) => transaction.count("user")).catch(() => undefined);
    expect(await store.apply((transaction) => transaction.count("user"))).toBe(1);
  });

  test("is left alone by a store that is closed", async () => {
    const store = await openStore(await open(referenceScripts));
    await store.close();
    await store.close();
    await expect(store.apply((transaction) => transaction.count("user"))).rejects.toThrow("closed");
  });
});
