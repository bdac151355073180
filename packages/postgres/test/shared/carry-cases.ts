import { planBackup } from "@replant/core";
import { describe, expect, test } from "vitest";
import { readCatalog } from "../../src/shared/catalog.ts";
import { createRowPort } from "../../src/shared/rows.ts";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Prepare } from "./pairs.ts";

const omni = `
create type member_role as enum ('admin', 'member', 'viewer');
create table organizations (id uuid primary key default gen_random_uuid(), clerk_id text not null unique, name text, metadata jsonb, created_at timestamptz not null default now());
create table users (id uuid primary key default gen_random_uuid(), clerk_id text not null unique, deleted_at timestamptz);
create table mcp_servers (id uuid primary key default gen_random_uuid(), server_key text not null unique, name text);
create table default_prompts (id uuid primary key default gen_random_uuid(), mcp_server_id uuid not null references mcp_servers on delete cascade, name text not null, unique (mcp_server_id, name));
create table organization_services (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations on delete cascade,
  mcp_server_id uuid not null references mcp_servers on delete cascade, enabled boolean not null default true, unique (organization_id, mcp_server_id));
create table organization_prompts (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations on delete cascade,
  default_prompt_id uuid references default_prompts, created_by uuid references users, role member_role not null default 'member', body text);`;

const seeds = `
insert into mcp_servers (server_key, name) select 'server-' || n, 'Server ' || n from generate_series(1, 5) n order by random();
insert into default_prompts (mcp_server_id, name) select id, 'prompt-' || n from mcp_servers, generate_series(1, 2) n;`;

const kept = `
insert into organizations (clerk_id, name, metadata, created_at) select 'org_' || n, 'Org ' || n, jsonb_build_object('deep', jsonb_build_array(n, null, 1.50)), '2026-01-01 00:00:00.123456+00'::timestamptz + n * interval '1 microsecond' from generate_series(1, 3) n;
insert into users (clerk_id, deleted_at) values ('u1', null), ('u2', null), ('gone', now());
insert into organization_services (organization_id, mcp_server_id) select o.id, s.id from organizations o join mcp_servers s on s.server_key in ('server-2', 'server-4');
insert into organization_prompts (organization_id, default_prompt_id, created_by, body)
  select o.id, p.id, u.id, 'text' from organizations o, users u, default_prompts p join mcp_servers s on s.id = p.mcp_server_id
  where u.clerk_id = 'u1' and s.server_key = 'server-3' and p.name = 'prompt-1';`;

const keep = {
  organizations: keepAll,
  users: { ...keepAll, where: "deleted_at is null" },
  organization_services: keepAll,
  organization_prompts: keepAll,
};

const enablements = `select o.*, s.server_key, x.id, x.enabled from organization_services x
  join organizations o on o.id = x.organization_id join mcp_servers s on s.id = x.mcp_server_id order by x.id`;
const prompts = `select x.id, x.organization_id, x.created_by, x.body, s.server_key, p.name from organization_prompts x
  left join default_prompts p on p.id = x.default_prompt_id left join mcp_servers s on s.id = p.mcp_server_id order by x.id`;

const valued = `create type mood as enum ('sad', 'fine'); create domain short as text check (length(value) < 2000000); create type pair as (a int, b text);
create table v (id int primary key, t text, b bytea, j jsonb, l text[], m mood, n numeric, d short, p pair, s tsvector, r int4range, f float8, z timestamptz, g text generated always as (md5(t)) stored);`;

const values = `insert into v select n, repeat(md5(n::text) || e'\\t\\n\\\\', 30 * n), decode(md5(n::text), 'hex'), jsonb_build_object('k', repeat('x', n), 'n', 1.50),
  array['a', null, repeat('"', n)], 'fine', 'NaN', 'x', row(n, '(,")')::pair, 'a:1 b', '[1,5)', 'Infinity', '2026-01-01 00:00:00.123456+00' from generate_series(1, 20) n;
insert into v (id) values (21);`;

const small = createRowPort({ binaryAboveBytes: 10_000 });

/** What carrying promises, against any engine. */
export function carryCases(prepared: Prepare): void {
  describe("references by meaning", () => {
    test("every enablement stands on the right server although all server ids are new, also through two steps", async () => {
      const { live, candidate } = await prepared(omni + seeds + kept, omni + seeds);
      const before = [await lines(live, enablements), await lines(live, prompts)];
      const { outcome, findings } = await carryBetween(live, candidate, keep);
      expect(findings).toEqual([]);
      expect([await lines(candidate, enablements), await lines(candidate, prompts)]).toEqual(before);
      expect(before[0]).toHaveLength(6);
      expect(await lines(live, "select id from mcp_servers order by 1")).not.toEqual(
        await lines(candidate, "select id from mcp_servers order by 1"),
      );
      expect(outcome.repointed.map(({ table, rows }) => [table.name, rows])).toEqual([
        ["organization_prompts", 3],
        ["organization_services", 6],
      ]);
      expect(await lines(candidate, "select clerk_id from users order by 1")).toEqual(["(u1)", "(u2)"]);
    });

    test("a server that the seeds no longer have quarantines exactly its rows, by name", async () => {
      const { live, candidate } = await prepared(
        omni + seeds + kept,
        omni + seeds + "delete from mcp_servers where server_key = 'server-4'",
      );
      const { outcome, findings } = await carryBetween(live, candidate, keep);
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toHaveLength(3);
      for (const row of outcome.quarantined) {
        expect(row.row).toMatch(/^id=[0-9a-f-]{36}$/);
        expect(row.reason).toBe("mcp_server_id: the new database has no row of mcp_servers with server_key=server-4");
      }
      expect(outcome.tables.find((item) => item.table.name === "organization_services")).toMatchObject({
        inBackup: 6,
        carried: 3,
        quarantined: 3,
      });
    });

    test("rules for missing rows: null and drop-row are applied and counted", async () => {
      const rules = {
        ...keep,
        organization_services: { ...keepAll, onMissing: { mcp_server_id: "drop-row" as const } },
        organization_prompts: {
          ...keepAll,
          onMissing: { created_by: "null" as const, organization_prompts_default_prompt_id_fkey: "null" as const },
        },
      };
      const { live, candidate } = await prepared(
        `${omni}${seeds}${kept} update organization_prompts set created_by = (select id from users where clerk_id = 'gone')`,
        omni,
      );
      const { outcome, findings } = await carryBetween(live, candidate, rules);
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(outcome.tables.map((item) => [item.table.name, item.carried, item.dropped])).toEqual([
        ["users", 2, 0],
        ["organizations", 3, 0],
        ["organization_prompts", 3, 0],
        ["organization_services", 0, 6],
      ]);
      expect(await lines(candidate, "select created_by, default_prompt_id from organization_prompts")).toEqual([
        "(,)",
        "(,)",
        "(,)",
      ]);
    });

    test("a kept row whose kept parent is left out by its rule is named, not loaded without it", async () => {
      const { live, candidate } = await prepared(
        `${omni}${seeds}${kept} update organization_prompts set created_by = (select id from users where clerk_id = 'gone')`,
        omni + seeds,
      );
      const { outcome } = await carryBetween(live, candidate, keep);
      expect(outcome.quarantined.map((row) => [row.table.name, row.reason.replace(/=.*/, "")])).toEqual(
        Array.from({ length: 3 }, () => [
          "organization_prompts",
          "created_by: the new database has no row of users with clerk_id",
        ]),
      );
    });
  });

  describe("merge with rows of the seeds", () => {
    const seededUser = "insert into users (id, clerk_id) values ('00000000-0000-4000-8000-000000000001', 'u1');";
    const seededChild = `${seededUser} insert into organizations (clerk_id) values ('seeded');
      insert into organization_prompts (organization_id, created_by, body) select id, '00000000-0000-4000-8000-000000000001', 'of the seeds' from organizations;`;

    test("the kept row takes the seeded row's place, and what pointed at that follows", async () => {
      const { live, candidate } = await prepared(omni + seeds + kept, omni + seeds + seededChild);
      const { outcome, findings } = await carryBetween(live, candidate, keep);
      expect(findings).toEqual([]);
      expect(outcome.tables.find((item) => item.table.name === "users")).toMatchObject({
        carried: 2,
        replacedSeeded: 1,
      });
      const ids = await lines(live, "select id from users where clerk_id = 'u1'");
      expect(await lines(candidate, "select id from users where clerk_id = 'u1'")).toEqual(ids);
      expect(await lines(candidate, "select created_by from organization_prompts where body = 'of the seeds'")).toEqual(
        ids,
      );
    });

    test("where the seed wins, the kept row is dropped by rule and references go to the seeded one", async () => {
      const { live, candidate } = await prepared(omni + seeds + kept, omni + seeds + seededUser);
      const rules = { ...keep, users: { ...keep.users, onConflict: "seed" as const } };
      const { outcome, findings } = await carryBetween(live, candidate, rules);
      expect(findings).toEqual([]);
      expect(outcome.tables.find((item) => item.table.name === "users")).toMatchObject({ carried: 1, dropped: 1 });
      expect(await lines(candidate, "select distinct created_by from organization_prompts")).toEqual([
        "(00000000-0000-4000-8000-000000000001)",
      ]);
    });

    test("where the rule says error, the row is quarantined, and what hangs on it", async () => {
      const { live, candidate } = await prepared(omni + seeds + kept, omni + seeds + seededUser);
      const rules = { ...keep, users: { ...keep.users, onConflict: "error" as const } };
      const { outcome } = await carryBetween(live, candidate, rules);
      expect(outcome.tables.map((item) => [item.table.name, item.quarantined])).toContainEqual(["users", 1]);
      expect(outcome.tables.map((item) => [item.table.name, item.quarantined])).toContainEqual([
        "organization_prompts",
        3,
      ]);
    });

    test("one row that collides with two different seeded rows is a conflict that nobody can guess", async () => {
      const schema = "create table t (id int primary key, a text unique, b text unique);";
      const { live, candidate } = await prepared(
        `${schema} insert into t values (1, 'x', 'y'), (2, 'p', 'q')`,
        `${schema} insert into t values (7, 'x', 'other'), (8, 'else', 'y')`,
      );
      const { outcome } = await carryBetween(live, candidate, { t: keepAll });
      expect(outcome.quarantined.map(({ row }) => row)).toEqual(["id=1"]);
      expect(outcome.tables[0]).toMatchObject({ inBackup: 2, carried: 1, quarantined: 1 });
    });
  });

  describe("rows that do not fit", () => {
    test.each([
      [
        "a column became NOT NULL",
        "create table t (id int primary key, v text)",
        "create table t (id int primary key, v text not null)",
        "(1, 'a'), (2, null)",
        /^v: null value in column "v"/,
      ],
      [
        "a type changed",
        "create table t (id int primary key, v text)",
        "create table t (id int primary key, v integer)",
        "(1, '12'), (2, 'x')",
        /^column "v" is now integer: invalid input syntax for type integer/,
      ],
      [
        "a text got shorter",
        "create table t (id int primary key, v text)",
        "create table t (id int primary key, v varchar(3))",
        "(1, 'abc'), (2, 'abcd')",
        /value too long for type character varying\(3\)/,
      ],
      [
        "a check was added",
        "create table t (id int primary key, v int)",
        "create table t (id int primary key, v int check (v > 0))",
        "(1, 5), (2, -5)",
        /violates check constraint/,
      ],
      [
        "a value is no longer unique",
        "create table t (id int primary key, v int)",
        "create table t (id int primary key, v int unique)",
        "(1, 5), (2, 5)",
        /duplicate key value violates unique constraint/,
      ],
    ])("%s: the row is named with the server's reason, the others arrive", async (_name, from, to, values, reason) => {
      const { live, candidate } = await prepared(`${from}; insert into t values ${values}`, to);
      const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables[0]).toMatchObject({ inBackup: 2, carried: 1, quarantined: 1 });
      expect(outcome.quarantined).toMatchObject([{ row: "id=2", reason: expect.stringMatching(reason) }]);
      expect(await lines(candidate, "select id from t")).toEqual(["(1)"]);
    });

    test("an enum label that was removed quarantines its rows; one that was added does not matter", async () => {
      const from = "create type mood as enum ('ok', 'sad'); create table t (id int primary key, m mood, ms mood[]);";
      const to = "create type mood as enum ('ok', 'great'); create table t (id int primary key, m mood, ms mood[]);";
      const { live, candidate } = await prepared(
        `${from} insert into t values (1, 'ok', '{ok,ok}'), (2, 'sad', '{ok}'), (3, 'ok', '{sad}')`,
        to,
      );
      const { outcome } = await carryBetween(live, candidate, { t: keepAll });
      expect(outcome.quarantined.map(({ row }) => row)).toEqual(["id=2", "id=3"]);
      expect(await lines(candidate, "select * from t")).toEqual(['(1,ok,"{ok,ok}")']);
    });

    test("a row that goes takes those with it that point at it, over several steps", async () => {
      const schema = (check: string): string => `create table a (id int primary key, v int ${check});
        create table b (id int primary key, a_id int not null references a); create table c (id int primary key, b_id int references b);`;
      const { live, candidate } = await prepared(
        `${schema("")} insert into a values (1, 1), (2, -1); insert into b values (1, 1), (2, 2); insert into c values (1, 1), (2, 2), (3, null);`,
        schema("check (v > 0)"),
      );
      const { outcome, findings } = await carryBetween(live, candidate, { a: keepAll, b: keepAll, c: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables.map((item) => [item.table.name, item.carried, item.quarantined])).toEqual([
        ["a", 1, 1],
        ["b", 1, 1],
        ["c", 2, 1],
      ]);
    });
  });

  describe("loading", () => {
    test("cycles, self-references, identities, generated columns, sequences; triggers stay silent and stay on", async () => {
      const schema = `
        create table people (id bigint generated always as identity primary key, boss bigint references people, team int, full_name text, upper_name text generated always as (upper(full_name)) stored);
        create table teams (id serial primary key, lead bigint not null references people);
        alter table people add foreign key (team) references teams;
        create table log (n serial primary key, what text);
        create function note() returns trigger language plpgsql as $$ begin insert into log (what) values (tg_op); return new; end $$;
        create trigger noted after insert or update on people for each row execute function note();`;
      const { live, candidate } = await prepared(
        `${schema} begin; alter table people disable trigger user;
         insert into people (boss, full_name) select case when n > 1 then n - 1 end, 'Person ' || n from generate_series(1, 200) n;
         insert into teams (lead) select id from people where id % 50 = 0; update people set team = (id % 4) + 1; commit;`,
        schema,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { people: keepAll, teams: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables.map((item) => [item.table.name, item.carried])).toEqual([
        ["teams", 4],
        ["people", 200],
      ]);
      expect(await lines(candidate, "select * from people order by id")).toEqual(
        await lines(live, "select * from people order by id"),
      );
      expect(await lines(candidate, "select count(*) from log")).toEqual(["(0)"]);
      await candidate.script("insert into people (full_name) values ('next')");
      expect(await lines(candidate, "select id, upper_name from people where full_name = 'next'")).toEqual([
        "(201,NEXT)",
      ]);
      expect(await lines(candidate, "select what from log")).toEqual(["(INSERT)"]);
    });

    test("every value comes back as the server's own text", async () => {
      const schema = `create type pair as (a int, b text); create domain positive as int check (value > 0);
        create table v (id int primary key, t text, ts timestamptz, d date, n numeric, n2 numeric(12,4), f float8, r real, b bytea, j json, jb jsonb, a text[], iv interval, u uuid,
          i inet, rng int4range, p point, bits bit(5), vb bit varying, ch char(5), vc varchar(10), c pair, dom positive, x xml, m money, tsv tsvector, o oid, big bigint);`;
      const { live, candidate } = await prepared(
        `${schema} insert into v (id, t, ts, d, n, f, r, a) values
          (1, E'tab\\there\\nnew line \\\\. \\\\N', 'infinity', '-infinity', 'NaN', 'NaN', '-Infinity', array['a,b', null, '"', 'NULL', '']),
          (2, '', '2026-02-03 04:05:06.789012+00', '4713-01-01 BC', 1.50, 0.1, 1e-30, '{}'), (3, E'\\r\\n\\t\\b''"', '0001-01-01 BC', null, 123456789012345678901234567890.000100, 1.7976931348623157e308, 3.4e38, null);
         insert into v (id, n2, b, j, jb, iv, u, i, rng, p, bits, vb, ch, vc, c, dom, x, m, tsv, o, big) values
          (4, 1.5, '\\x00ff5c0a', '{"a" :  1, "a": 2}', '{"b": [1.10, null, "\\u00e9\\"\\\\"]}', '1 year 2 mons -3 days 04:05:06.000007', gen_random_uuid(), '10.0.0.1/8', '[1,5)', '(1.5,-2)',
           '10101', '1', 'ab', 'x', row(1, 'q"u,o'), 7, '<a b="c">d</a>', 12.34, 'fat:1 cat:2', 4294967295, -9223372036854775808);`,
        schema,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { v: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables[0]?.carried).toBe(4);
      expect(await lines(candidate, "select * from v order by id")).toEqual(
        await lines(live, "select * from v order by id"),
      );
    });

    test("names are data, whatever they hold", async () => {
      const hostile = `"we""ird $1 ; drop table x; --"`;
      const schema = `create schema "S ""x"; create table "S ""x".${hostile} ("Id '$replant$" int primary key, "a\\b" text not null unique, "ref" int references "S ""x".${hostile});`;
      const { live, candidate } = await prepared(
        `${schema} insert into "S ""x".${hostile} values (1, 'one', 1), (2, 'two', 1)`,
        `${schema} insert into "S ""x".${hostile} values (9, 'two', null)`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, {
        'S "x.we"ird $1 ; drop table x; --': keepAll,
      });
      expect(findings).toEqual([]);
      expect(outcome.tables[0]).toMatchObject({ carried: 2, replacedSeeded: 1 });
      expect(await lines(candidate, `select * from "S ""x".${hostile} order by 1`)).toEqual(["(1,one,1)", "(2,two,1)"]);
    });

    test("a table without any key is carried, and counted with its duplicates", async () => {
      const { live, candidate } = await prepared(
        "create table notes (a int, b text); insert into notes values (1, 'x'), (1, 'x'), (2, null)",
        "create table notes (a int, b text)",
      );
      const { outcome, findings } = await carryBetween(live, candidate, { notes: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables[0]).toMatchObject({ inBackup: 3, carried: 3 });
    });

    test("a constraint that the project left unvalidated is no finding, and stays as it was", async () => {
      const schema =
        "create table t (id int primary key, v int); alter table t add constraint positive check (v > 0) not valid;";
      const { live, candidate } = await prepared(
        `create table t (id int primary key, v int); insert into t values (1, 5);`,
        schema,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables[0]).toMatchObject({ inBackup: 1, carried: 1 });
      expect(await lines(candidate, "select convalidated from pg_constraint where conname = 'positive'")).toEqual([
        "(f)",
      ]);
    });

    test("rows that vanish on the way in are noticed, because counts are read back", async () => {
      const schema = "create table t (id int primary key, v text);";
      const { live, candidate } = await prepared(
        `${schema} insert into t select n, 'v' from generate_series(1, 10) n`,
        `${schema} create rule swallow as on insert to t where new.id = 7 do instead nothing`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(outcome.tables[0]?.carried).toBe(9);
      expect(findings).toEqual([
        "t: 10 rows in the backup, but 9 read back unchanged, 0 dropped by rule, 0 quarantined",
      ]);
    });
  });

  describe("equal is what the server calls equal", () => {
    const seededBy = (
      type: string,
    ): string => `create table parts (id int generated always as identity primary key, code ${type} not null unique);
      create table stock (id int primary key, part int references parts, code ${type} references parts (code));`;
    test.each([
      ["char(6)", "'ab'", "'ab'"],
      ["numeric", "1.50", "1.5"],
    ])("keys of type %s that are spelt in two ways are one key", async (type, there, here) => {
      const { live, candidate } = await prepared(
        `${seededBy(type)} insert into parts (code) values (${there}); insert into stock values (1, 1, ${here})`,
        `${seededBy(type)} insert into parts (code) values (${here}); update parts set code = code; alter sequence parts_id_seq restart 50; delete from parts; insert into parts (code) values (${here})`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { stock: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(await lines(candidate, "select s.part, p.id from stock s join parts p using (code)")).toEqual(["(50,50)"]);
    });

    test("a natural key that only the new schema has does not hide the one that both have", async () => {
      const kept = "create table uses (id int primary key, tool uuid not null references tools);";
      const { live, candidate } = await prepared(
        `create table tools (id uuid primary key default gen_random_uuid(), tool_key text not null unique); ${kept}
         insert into tools (tool_key) values ('saw'); insert into uses select 1, id from tools`,
        `create table tools (id uuid primary key default gen_random_uuid(), tool_key text not null unique, a_slug text not null unique,
           upper text generated always as ('x') stored, unique (upper, tool_key)); ${kept}
         insert into tools (tool_key, a_slug) values ('saw', 'a-saw')`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { uses: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ inBackup: 1, carried: 1 }]);
    });

    test("a key that is a reference itself is translated, and who points at it follows", async () => {
      const schema = `create table users (id uuid primary key default gen_random_uuid(), login text not null unique);
        create table profiles (user_id uuid primary key references users); create table posts (id int primary key, profile uuid references profiles);`;
      const { live, candidate } = await prepared(
        `${schema} insert into users (login) values ('u'); insert into profiles select id from users; insert into posts select 1, id from users`,
        `${schema} insert into users (login) values ('u')`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { profiles: keepAll, posts: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(await lines(candidate, "select u.id = p.profile from posts p, users u")).toEqual(["(t)"]);
    });

    test("two references that share a column agree on it", async () => {
      const schema = `create table regions (id int primary key, code text not null unique);
        create table shops (region int, no int, primary key (region, no)); create table tills (id int primary key, region int references regions, no int,
          foreign key (region, no) references shops);`;
      const { live, candidate } = await prepared(
        `${schema} insert into regions values (1, 'n'); insert into shops values (1, 7); insert into tills values (1, 1, 7)`,
        `${schema} insert into regions values (4, 'n'); insert into shops values (4, 7)`,
      );
      const { outcome } = await carryBetween(live, candidate, { tills: keepAll });
      // Nothing says which shop is meant: its key is of numbers that mean a region here and there.
      expect(outcome.tables[0]).toMatchObject({ inBackup: 1 });
      const { carried = 0, quarantined = 0 } = outcome.tables[0] ?? {};
      expect(carried + quarantined).toBe(1);
    });
  });

  describe("values are assigned, never cut", () => {
    test.each([
      ["elements of char(n)[]", "char(2)[]", "char(3)[]", "{ab,cd}", '{"ab ","cd "}'],
      ["elements of bit(n)[]", "bit(2)[]", "bit(2)[]", "{10,01}", "{10,01}"],
      ["microseconds", "timestamptz", "timestamptz(3)", "2026-01-01 00:00:00.1239+00", "2026-01-01 00:00:00.124+00"],
      ["digits of a key", "numeric(8,4)", "numeric(8,2)", "1.2300", "1.23"],
      ["blanks", "text", "varchar(3)", "abc   ", "abc"],
      ["padded keys", "char(3)", "char(5)", "ab", "ab   "],
    ])("%s", async (_name, from, to, before, after) => {
      const schema = (type: string, other: string): string => `create table t (v ${type} primary key, o ${other})`;
      const { live, candidate } = await prepared(
        `${schema(from, "int")}; insert into t values ('${before}', 1)`,
        schema(to, "bigint"),
      );
      const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ carried: 1, quarantined: 0 }]);
      expect(await lines(candidate, `select v = '${after}'::${to} as same from t`)).toEqual(["(t)"]);
    });

    test("a text that is too long for a domain is named, not cut", async () => {
      const { live, candidate } = await prepared(
        "create table t (id int primary key, v text); insert into t values (1, 'abc'), (2, 'abcd')",
        "create domain three as varchar(3); create table t (id int primary key, v three)",
      );
      const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toMatchObject([
        { row: "id=2", reason: 'column "v" is now three: value too long for type character varying(3)' },
      ]);
    });

    test("a reference whose value no longer fits quarantines its row alone", async () => {
      const { live, candidate } = await prepared(
        `create table a (id text primary key); create table b (id int primary key, a text references a);
         insert into a values ('1'), ('x'); insert into b values (1, '1'), (2, 'x')`,
        "create table a (id int primary key); create table b (id int primary key, a int references a)",
      );
      const { outcome, findings } = await carryBetween(live, candidate, { a: keepAll, b: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables.map(({ carried, quarantined }) => [carried, quarantined])).toEqual([
        [1, 1],
        [1, 1],
      ]);
    });

    test("a domain of the same name that rounds is not a backup that was damaged", async () => {
      const schema = (scale: number): string => `create domain price as numeric(8,${scale}); create table t (v price)`;
      const { live, candidate } = await prepared(`${schema(4)}; insert into t values (1.2345)`, schema(2));
      const { findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(await lines(candidate, "select v from t")).toEqual(["(1.23)"]);
    });
  });

  describe("what a schema may hold besides", () => {
    test("a merge in one partition leaves the rows of the others alone", async () => {
      const schema = `create table p (k int, id int, v text, primary key (k, id)) partition by list (k);
        create table p1 partition of p for values in (1); create table p2 partition of p for values in (2);`;
      const { live, candidate } = await prepared(
        `${schema} insert into p values (1, 1, 'kept'), (2, 1, 'kept too')`,
        `${schema} insert into p values (1, 1, 'seed'), (2, 1, 'seed'), (2, 2, 'stays')`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, { p: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ carried: 2, replacedSeeded: 2 }]);
      expect(await lines(candidate, "select * from p order by k, id")).toEqual([
        "(1,1,kept)",
        '(2,1,"kept too")',
        "(2,2,stays)",
      ]);
    });

    test("keys of the seeds change under references that restrict or act, and those stand as they were", async () => {
      const schema = `create table a (id int primary key, code text unique);
        create table r (a int references a on update restrict); create table n (a int references a on update set null on delete cascade deferrable);`;
      const { live, candidate } = await prepared(
        `${schema} insert into a values (1, 'x')`,
        `${schema} insert into a values (9, 'x'); insert into r values (9); insert into n values (9)`,
      );
      const definitions = "select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'f' order by 1";
      const before = await lines(candidate, definitions);
      const { findings } = await carryBetween(live, candidate, { a: keepAll });
      expect(findings).toEqual([]);
      expect(await lines(candidate, "select r.a, n.a from r, n")).toEqual(["(1,1)"]);
      expect(await lines(candidate, definitions)).toEqual(before);
    });

    test("a unique key that is checked late names the row all the same", async () => {
      const { live, candidate } = await prepared(
        "create table t (id int primary key, v int); insert into t values (1, 5), (2, 5)",
        "create table t (id int primary key, v int unique deferrable initially deferred)",
      );
      const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.quarantined.map(({ row }) => row)).toEqual(["id=2"]);
    });

    test("rules hold for conflicts that show only when rows of the seeds were re-pointed", async () => {
      const schema = `create table o (id int primary key, code text not null unique);
        create table s (id int primary key, o int not null references o, k text, unique (o, k));`;
      const { live, candidate } = await prepared(
        `${schema} insert into o values (1, 'x'); insert into s values (1, 1, 'a'), (2, 1, 'b')`,
        `${schema} insert into o values (9, 'x'); insert into s values (8, 9, 'a')`,
      );
      const { outcome, findings } = await carryBetween(live, candidate, {
        o: keepAll,
        s: { ...keepAll, onConflict: "seed" },
      });
      expect(findings).toEqual([]);
      expect(outcome.tables.map(({ carried, dropped }) => [carried, dropped])).toEqual([
        [1, 0],
        [1, 1],
      ]);
      expect(await lines(candidate, "select id, o from s order by id")).toEqual(["(2,1)", "(8,1)"]);
    });

    test("sequences: texts made with one, the last number there is, a start above the rows, counting down", async () => {
      const schema = `create sequence invoices; create table i (id bigint generated by default as identity primary key, no text default 'I-' || nextval('invoices'));
        create table h (id int generated by default as identity (start 1000) primary key); create table d (id int generated by default as identity (increment -1) primary key);`;
      const { live, candidate } = await prepared(
        `${schema} insert into i (id, no) values (9223372036854775807, 'I-7'); insert into h values (5); insert into d values (-1), (-2)`,
        schema,
      );
      const { findings } = await carryBetween(live, candidate, { i: keepAll, h: keepAll, d: keepAll });
      expect(findings).toEqual([]);
      await candidate.script("insert into h default values; insert into d default values");
      expect(await lines(candidate, "select max(h.id), min(d.id) from h, d")).toEqual(["(1000,-3)"]);
    });

    test("sequences go on where the backup says they stood: ids of rows that are gone are not given again", async () => {
      const schema = `create sequence invoices; create schema other; create sequence other."s q";
        create table i (id bigint generated by default as identity primary key, no text default 'I-' || nextval('invoices'));
        create table gone (id serial primary key); create table ahead (id serial primary key); create table d (id int generated by default as identity (increment -1) primary key);
        create table "odd ""name" (id bigint primary key default nextval('other."s q"'), v int);`;
      const { live, candidate } = await prepared(
        `${schema} insert into i default values; insert into i default values; insert into i default values; delete from i where id > 1;
         insert into gone select from generate_series(1, 40); delete from gone; alter sequence ahead_id_seq restart 70;
         insert into d select from generate_series(1, 9); delete from d where id < -2; select setval('other."s q"', 500, false)`,
        `${schema} alter table i rename to i2; alter table i2 rename to i; select setval('ahead_id_seq', 90)`,
      );
      const rules = { i: keepAll, gone: keepAll, ahead: keepAll, d: keepAll, 'odd "name': keepAll };
      const { plan, findings } = await carryBetween(live, candidate, rules);
      expect(findings).toEqual([]);
      expect(plan.sequences.map(({ name, lastValue, isCalled }) => [name, lastValue, isCalled])).toEqual([
        ["ahead_id_seq", "70", false],
        ["d_id_seq", "-9", true],
        ["gone_id_seq", "40", true],
        ["i_id_seq", "3", true],
        ["invoices", "3", true],
        ["s q", "500", false],
      ]);
      await candidate.script(`insert into i default values; insert into gone default values; insert into ahead default values;
        insert into d default values; insert into "odd ""name" (v) values (1)`);
      const next = `select max(i.id) as i, max(i.no) as no, (select max(id) from gone) as gone, (select max(id) from ahead) as ahead,
        (select min(id) from d) as d, (select max(id) from "odd ""name") as odd from i`;
      expect(await lines(candidate, next)).toEqual(["(4,I-4,41,91,-10,500)"]);
    });

    test("a sequence is not set beyond what it could give itself", async () => {
      const { live, candidate } = await prepared(
        "create table t (id bigserial primary key); select setval('t_id_seq', 5000000000)",
        "create table t (id serial primary key); insert into t values (7)",
      );
      const { findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      await candidate.script("insert into t default values");
      expect(await lines(candidate, "select max(id) from t")).toEqual(["(8)"]);
    });

    test("views, materialised views over each other, policies, rules and triggers that always fire stand as they were", async () => {
      const schema = `create table t (id int primary key, v text); create view w as select * from t; create table log (v text);
        create materialized view m as select count(*) as n from w; create materialized view mm as select n + 1 as n from m;
        create materialized view later as select * from t with no data;
        alter table t enable row level security; alter table t force row level security; create policy nobody on t using (false);
        create rule note as on delete to t do also insert into log values (old.v);
        create function loud() returns trigger language plpgsql as $f$ begin insert into log values (new.v); return new; end $f$;
        create trigger always after insert on t for each row execute function loud(); alter table t enable always trigger always;`;
      const { live, candidate } = await prepared(
        `${schema} alter table t disable trigger always; insert into t values (1, 'a'), (2, 'b')`,
        schema,
      );
      const { findings } = await carryBetween(live, candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(await lines(candidate, "select m.n, mm.n from m, mm")).toEqual(["(2,3)"]);
      expect(await lines(candidate, "select count(*) from log")).toEqual(["(0)"]);
      expect(await lines(candidate, "select tgenabled from pg_trigger where tgname = 'always'")).toEqual(["(A)"]);
      expect(await lines(candidate, "select relispopulated from pg_class where relname = 'later'")).toEqual(["(f)"]);
    });

    test("a table with a row too large for text goes in binary form, all values the same; others stay text", async () => {
      const schema = `${valued} create table o (id int primary key, v text); create table nokey (v bytea);`;
      const { live, candidate } = await prepared(
        `${schema} ${values} insert into o values (1, 'small'); insert into nokey values (convert_to(repeat('y', 40000), 'UTF8')), (null)`,
        schema,
      );
      const rules = { v: keepAll, o: keepAll, nokey: keepAll };
      const { plan, outcome, findings } = await carryBetween(live, candidate, rules, { rows: small });
      expect(findings).toEqual([]);
      expect(plan.tables.map(({ table, copy }) => [table.name, copy])).toEqual([
        ["nokey", "binary"],
        ["o", "text"],
        ["v", "binary"],
      ]);
      expect(outcome.tables.map(({ carried }) => carried)).toEqual([2, 1, 21]);
      for (const sql of ["select * from v order by id", "select v, octet_length(v) as n from nokey order by n"]) {
        expect(await lines(candidate, sql)).toEqual(await lines(live, sql));
      }
    });

    test("a value is measured unpacked, whatever its type and however well it was compressed", async () => {
      const { live } = await prepared(
        `create table t (j jsonb); create table l (l text[]); create table x (v text); create table e (v text);
         insert into t select jsonb_build_object('k', repeat('abc', 500000)); insert into l values (array[repeat('abc', 500000)]);
         insert into x values (repeat('abc', 500000)); insert into e select repeat('abc', 50000) from generate_series(1, 90)`,
        "",
      );
      const port = createRowPort({ binaryAboveBytes: 1_000_000 });
      const forms = planBackup(await readCatalog(live), { t: keepAll, l: keepAll, x: keepAll, e: keepAll });
      const found: Record<string, string> = {};
      for (const selection of forms) found[selection.table.name] = (await port.describe(live, selection)).copy;
      expect(found).toEqual({ e: "text", l: "binary", t: "binary", x: "binary" });
    });

    test("binary rows fit equal columns only: what cannot be loaded is named before anything is", async () => {
      const change = "alter table v alter column n type numeric(10,2); alter table v drop column j;";
      const { live, candidate } = await prepared(`${valued} ${values}`, `${valued} ${change}`);
      const { plan } = await carryBetween(live, candidate, { v: keepAll }, { rows: small });
      expect(plan.tables).toEqual([]);
      expect(plan.impossible).toMatchObject([
        { rows: 21, reason: `its rows are in binary form, which fits equal columns only, and "j" is not what it was` },
      ]);
    });

    test("context rows go without their large values, and references are still found by meaning", async () => {
      const schema = `create table servers (id uuid primary key default gen_random_uuid(), key text not null unique, manual text, blob bytea);
        create table uses (id int primary key, server uuid not null references servers);
        insert into servers (key, manual) values ('a', repeat(md5('a'), 1000)), ('b', 'short');`;
      const { live, candidate } = await prepared(
        `${schema} insert into uses select row_number() over (order by key), id from servers`,
        schema,
      );
      const selections = planBackup(await readCatalog(live), { uses: keepAll });
      const context = selections.find(({ role }) => role === "context");
      if (context === undefined) throw new Error("servers are context");
      expect(await small.describe(live, context)).toMatchObject({ columns: ["id", "key", "blob"], copy: "text" });
      const { findings } = await carryBetween(live, candidate, { uses: keepAll }, { rows: small });
      expect(findings).toEqual([]);
      const sql = "select u.id, s.key from uses u join servers s on s.id = u.server order by 1";
      expect(await lines(candidate, sql)).toEqual(["(1,a)", "(2,b)"]);
    });

    test("tables without columns keep their rows", async () => {
      const { live, candidate } = await prepared("create table e (); insert into e default values; insert into e default values", "create table e ()"); // prettier-ignore
      const { outcome, findings } = await carryBetween(live, candidate, { e: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ inBackup: 2, carried: 2 }]);
      expect(await lines(candidate, "select count(*) from e")).toEqual(["(2)"]);
    });
  });
}
