import type { SqlSession } from "@replant/core";
import { describe, expect, test } from "vitest";
import type { IdentityMapping, Kind, OwnTables, ProviderObject, SyncStore } from "../../src/index.ts";
import { referenceMapping } from "../../src/index.ts";
import { openIdentityStore, schemaSql } from "../../src/postgres/index.ts";
import { serverPlaces } from "../postgres/places.ts";
import type { Ending } from "./history.ts";
import { createKeeper, live } from "./history.ts";
import type { Weather } from "./world.ts";

/** Everything at once: what the memory store goes through in turns. */
const weather: Weather = {
  paceMs: 2000,
  jitterMs: 60_000,
  repeated: 0.1,
  dropped: 0.03,
  late: 0.05,
  outage: true,
  crashes: 0.1,
  reconciles: 1,
  resets: 1,
};

/** Histories in all; a person who looks for a rare fault sets more. */
const histories = Number(process.env["REPLANT_HISTORIES"] ?? 500);

const tables = `
create table users (id uuid primary key default gen_random_uuid(), clerk_id text not null unique, email text not null unique,
  first_name text, last_name text, deleted_at timestamptz);
create table organizations (id uuid primary key default gen_random_uuid(), clerk_id text not null unique, name text not null,
  slug text not null unique, deleted_at timestamptz);
create table organization_memberships (id uuid primary key default gen_random_uuid(), clerk_membership_id text not null unique,
  organization_id uuid not null references organizations (id), user_id uuid not null references users (id),
  role text not null, deleted_at timestamptz, unique (organization_id, user_id));`;

const mapping: IdentityMapping = {
  ...referenceMapping,
  users: { ...referenceMapping.users, columns: { email: "email", first_name: "firstName", last_name: "lastName" } },
  organizations: { ...referenceMapping.organizations, columns: { name: "name", slug: "slug" } },
  memberships: { ...referenceMapping.memberships, columns: { role: "role" } },
  roles: null,
};

const everything = [
  "users",
  "organizations",
  "organization_memberships",
  ...Object.values(mapping.own satisfies OwnTables).map(({ name }) => name),
];

describe("a database of PostgreSQL", () => {
  const open = serverPlaces(18);
  test("ends like the provider, whatever happens on the way", async () => {
    const { session, connect } = await open([tables, schemaSql(mapping.own)]);
    const hasty = async (): Promise<SqlSession> => {
      const opened = await connect();
      // Thousands of small transactions; what a crash of the server takes is the business of other tests.
      await opened.script("set synchronous_commit = off");
      return opened;
    };
    const opened = await openIdentityStore(hasty, mapping);
    let crash: (() => void) | null = null;
    const store: SyncStore = {
      inbox: opened.inbox,
      apply: (work) =>
        opened.apply(async (transaction) => {
          const value = await work(transaction);
          crash?.();
          return value;
        }),
    };
    const keeper = createKeeper({
      store,
      crash: (work) => {
        crash = work;
      },
      // What a reset does to the tables: another database with the kept rows, so no number and no place of a row stays.
      reset: () => session.script("delete from identity_seen; update users set email = email"),
      ending: () => endingOf(session),
    });
    try {
      for (let n = 0; n < histories; n += 1) {
        await session.script(`truncate ${everything.join(", ")} restart identity cascade`);
        expect(await live(n, weather, { operations: 10, keeper }), `history ${n}`).toEqual([]);
      }
    } finally {
      await opened.close();
    }
  });
});

async function endingOf(session: SqlSession): Promise<Ending> {
  const read = (
    kind: Kind,
    sql: string,
  ): Promise<{ id: string; local: string; fields: ProviderObject["fields"]; joins: ProviderObject["joins"] }[]> =>
    session.query(`select '${kind}' as kind, ${sql}`);
  const users = await read(
    "user",
    `clerk_id as id, id::text as local, jsonb_build_object('email', email, 'firstName', first_name, 'lastName', last_name) as fields,
     null as joins from users where deleted_at is null`,
  );
  const organizations = await read(
    "organization",
    `clerk_id as id, id::text as local, jsonb_build_object('name', name, 'slug', slug) as fields, null as joins
     from organizations where deleted_at is null`,
  );
  const memberships = await read(
    "membership",
    `m.clerk_membership_id as id, m.id::text as local, jsonb_build_object('role', m.role) as fields,
     jsonb_build_object('user', u.clerk_id, 'organization', o.clerk_id) as joins
     from organization_memberships m join users u on u.id = m.user_id join organizations o on o.id = m.organization_id
     where m.deleted_at is null`,
  );
  const objects = (kind: Kind, rows: typeof users): ProviderObject[] =>
    rows.map(({ id, fields, joins }) => ({ kind, id, fields, joins, createdAt: 0, updatedAt: 0 }));
  return {
    objects: {
      user: objects("user", users),
      organization: objects("organization", organizations),
      membership: objects("membership", memberships),
    },
    localIds: new Map([...users, ...organizations].map(({ id, local }) => [id, local])),
  };
}
