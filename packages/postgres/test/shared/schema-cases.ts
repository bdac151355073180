import { planBackup } from "@replant/core";
import { describe, expect, test } from "vitest";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Pair, Prepare } from "./pairs.ts";

/** Everything that a table has is the same in both databases. */
async function expectEqual({ live, candidate }: Pair, table: string): Promise<void> {
  const sql = `select * from ${table}`;
  const [there, here] = [await lines(live, sql), await lines(candidate, sql)];
  expect(there.length).toBeGreaterThan(0);
  expect(here.toSorted()).toEqual(there.toSorted());
}

/** Schemas that are not plain tables of plain types. */
export function schemaCases(prepared: Prepare): void {
  describe("schemas", () => {
    test("a circle of three tables, and a chain of a thousand rows in one", async () => {
      const schema = `create table a (id int primary key, b int not null); create table b (id int primary key, c int not null);
        create table c (id int primary key, a int not null references a); alter table a add foreign key (b) references b; alter table b add foreign key (c) references c;
        create table chain (id int primary key, parent int references chain);`;
      // The first of the chain is loaded last, and one in the middle has no place any more.
      const broken = "alter table chain add check (id <> 500)";
      const pair = await prepared(
        `begin; ${schema.replaceAll(/references (\w+)/g, "references $1 deferrable initially deferred")}
         insert into a select n, n % 50 + 1 from generate_series(1, 50) n; insert into b select n, n % 50 + 1 from generate_series(1, 50) n;
         insert into c select n, n % 50 + 1 from generate_series(1, 50) n; insert into chain select n, n + 1 from generate_series(1, 999) n; insert into chain values (1000, null); commit;`,
        `${schema} ${broken}`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        a: keepAll,
        b: keepAll,
        c: keepAll,
        chain: keepAll,
      });
      expect(findings).toEqual([]);
      for (const table of ["a", "b", "c"]) await expectEqual(pair, table);
      expect(outcome.tables.find(({ table }) => table.name === "chain")).toMatchObject({
        carried: 500,
        quarantined: 500,
      });
    });

    test("partitions of partitions and tables that inherit: every row once, each in its own table", async () => {
      const schema = `create table parts (k int, id int, v text, primary key (k, id)) partition by range (k);
        create table parts_low partition of parts for values from (0) to (10) partition by list (k); create table parts_low_1 partition of parts_low for values in (1); create table parts_rest partition of parts default;
        create table cities (id int primary key, name text unique); create table capitals (country text, primary key (id), unique (name)) inherits (cities); create table visits (id int primary key, city int references cities);`;
      const pair = await prepared(
        `${schema} insert into parts values (1, 1, 'a'), (77, 1, 'b'); insert into cities values (1, 'Lyon'), (2, 'Nice'); insert into capitals values (1, 'Paris', 'fr'), (7, 'Rome', 'it'); insert into visits values (1, 1)`,
        `${schema} insert into cities values (5, 'Nice'), (6, 'Paris'); insert into capitals values (9, 'Lyon', 'xx'), (8, 'Rome', 'it');`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        parts: keepAll,
        cities: keepAll,
        capitals: keepAll,
        visits: keepAll,
      });
      expect(findings).toEqual([]);
      await expectEqual(pair, "parts");
      expect(
        outcome.tables.map(({ table, inBackup, replacedSeeded }) => [table.name, inBackup, replacedSeeded]),
      ).toEqual([
        ["capitals", 2, 1],
        ["cities", 2, 1],
        ["parts", 2, 0],
        ["visits", 1, 0],
      ]);
      expect(await lines(pair.candidate, "select * from only cities order by id")).toEqual([
        "(1,Lyon)",
        "(2,Nice)",
        "(6,Paris)",
      ]);
      expect(await lines(pair.candidate, "select * from capitals order by id")).toEqual([
        "(1,Paris,fr)",
        "(7,Rome,it)",
        "(9,Lyon,xx)",
      ]);
      const counts = await rowPort.count(pair.live, (await readCatalog(pair.live)).tables);
      expect(counts.map(({ table, rows }) => [table.name, rows])).toEqual([
        ["capitals", 2],
        ["cities", 2],
        ["parts", 2],
        ["visits", 1],
      ]);
    });

    test("a parent alone is kept without the rows of its children", async () => {
      const schema = "create table p (id int primary key); create table c () inherits (p);";
      const pair = await prepared(`${schema} insert into p values (1); insert into c values (2)`, schema);
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, { p: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ inBackup: 1, carried: 1 }]);
      expect(await lines(pair.candidate, "select * from p")).toEqual(["(1)"]);
    });

    test("types: domains, composites, ranges, multiranges, arrays of enums, hostile names, several schemas, unlogged tables", async () => {
      const schema = `create schema billing; create schema "We""ird '$1"; create type mood as enum ('ok', 'it''s "odd", isn\\t it');
        create domain billing.amount as numeric(10,3) check (value >= 0); create domain billing.amounts as billing.amount[]; create type "We""ird '$1"."Pair $replant$" as (a billing.amount, "B b" mood[]);
        create type floatrange as range (subtype = float8);
        create unlogged table billing.fast (id int primary key, v text); create table billing."Order" ("Id" int primary key, total billing.amount, totals billing.amounts, pair "We""ird '$1"."Pair $replant$", pairs "We""ird '$1"."Pair $replant$"[], moods mood[][],
          r int4range, tr tstzrange, fr floatrange, mr int4multirange, dmr datemultirange, "select" text, "a.b" jsonb);
        create table "We""ird '$1".users ("ID" int primary key, "Order" int references billing."Order");`;
      const pair = await prepared(
        `${schema} insert into billing."Order" values (1, 1.5, '{1,2.25,NULL}', row(3, '{ok,NULL}'), array[row(1, null), null, row(2, array['it''s "odd", isn\\t it']::mood[])]::"We""ird '$1"."Pair $replant$"[], '{{ok},{ok}}',
           '[1,9)', '[2026-01-01 00:00:00.000001+00,)', '(1.5,infinity]', '{[1,3),[5,9)}', '{[2026-01-01,2026-02-01)}', E'a\\tb', '{"a.b": 1.10}'), (2, null, null, null, '{}', '{}', 'empty', null, null, '{}', null, '', 'null');
         insert into "We""ird '$1".users values (1, 1), (2, null); insert into billing.fast values (1, 'x')`,
        schema,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        "billing.Order": keepAll,
        "billing.fast": keepAll,
        "We\"ird '$1.users": keepAll,
      });
      expect(findings).toEqual([]);
      expect(outcome.tables.map(({ carried }) => carried)).toEqual([2, 2, 1]);
      await expectEqual(pair, "billing.fast");
      await expectEqual(pair, 'billing."Order"');
      await expectEqual(pair, `"We""ird '$1".users`);
    });

    test("types of extensions, where the server has them", async () => {
      const probe = await prepared("", "");
      const known = await lines(
        probe.live,
        "select name from pg_available_extensions where name in ('citext', 'hstore', 'ltree')",
      );
      const has = (name: string): boolean => known.includes(`(${name})`);
      const columns = [
        ...(has("citext") ? ["ci citext unique"] : []),
        ...(has("hstore") ? ["h hstore"] : []),
        ...(has("ltree") ? ["lt ltree"] : []),
      ];
      const values = [
        ...(has("citext") ? ["'MiXed'"] : []),
        ...(has("hstore") ? [`'a=>NULL,"b c"=>"1"'`] : []),
        ...(has("ltree") ? ["'a.b.c'"] : []),
      ];
      const schema = `${known.map((line) => `create extension if not exists ${line.slice(1, -1)};`).join(" ")} create table x (${["id int primary key", ...columns].join(", ")});`;
      const seeded = has("citext") ? "insert into x (id, ci) values (9, 'mixed')" : "";
      await probe.live.script(`${schema} insert into x values (${["1", ...values].join(", ")})`);
      await probe.candidate.script(`${schema} ${seeded}`);
      const { outcome, findings } = await carryBetween(probe.live, probe.candidate, { x: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ carried: 1, replacedSeeded: has("citext") ? 1 : 0 }]);
      await expectEqual(probe, "x");
    });

    test("tables without a primary key, rows that are equal, a merge by a key without NULLs", async () => {
      const schema = "create table u (code text not null unique, n int); create table d (a int, b float8, c json);";
      const pair = await prepared(
        `${schema} insert into u values ('x', 1), ('y', null); insert into d values (1, 'NaN', '{ }'), (1, 'NaN', '{ }'), (null, '-0', null)`,
        `${schema} insert into u values ('x', 9); insert into d values (1, 'NaN', '{ }')`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, { u: keepAll, d: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables.map(({ table, carried, merged }) => [table.name, carried, merged])).toEqual([
        ["d", 3, []],
        ["u", 2, ["code=x"]],
      ]);
      await expectEqual(pair, "u");
      expect(await lines(pair.candidate, "select count(*) from d")).toEqual(["(4)"]);
    });

    test("triggers and rules: triggers stay silent, a rule that swallows or changes rows is noticed", async () => {
      const schema = `create table t (id int primary key, v text); create table log (v text);
        create function bad() returns trigger language plpgsql as $f$ begin insert into log values ('fired'); return null; end $f$;
        create trigger before_row before insert or update on t for each row execute function bad(); alter table t enable always trigger before_row;
        create trigger before_all before insert on t execute function bad(); alter table t enable replica trigger before_all;`;
      const [swallowed, changed] = [
        `${schema} create rule r as on insert to t where new.id = 2 do instead nothing`,
        `${schema} create rule r as on insert to t where new.id = 2 do instead insert into log values (new.v)`,
      ];
      for (const fresh of [schema, swallowed, changed]) {
        const pair = await prepared(
          "create table t (id int primary key, v text); insert into t values (1, 'a'), (2, 'b')",
          fresh,
        );
        const { findings } = await carryBetween(pair.live, pair.candidate, { t: keepAll });
        expect(findings).toEqual(
          fresh === schema
            ? []
            : ["t: 2 rows in the backup, but 1 read back unchanged, 0 dropped by rule, 0 quarantined"],
        );
        expect(await lines(pair.candidate, "select v from log where v = 'fired'")).toEqual([]);
        expect(
          await lines(pair.candidate, "select tgname, tgenabled from pg_trigger where not tgisinternal order by 1"),
        ).toEqual(["(before_all,R)", "(before_row,A)"]);
      }
    });

    test("a rule sees the label of a row that the new enum does not have any more, in arrays as well", async () => {
      const pair = await prepared(
        `create type mood as enum ('fine', 'gone'); create table t (id integer primary key, m mood, ms mood[]);
         insert into t values (1, 'fine', '{fine}'), (2, 'gone', '{gone,fine}')`,
        "create type mood as enum ('fine'); create table t (id integer primary key, m mood, ms mood[])",
      );
      const columns = {
        m: { convert: "case m when 'gone' then 'fine' else m end" },
        ms: { convert: "array_replace(ms::text[], 'gone', 'fine')" },
      };
      const { outcome } = await carryBetween(pair.live, pair.candidate, { t: { ...keepAll, columns } });
      expect(outcome.quarantined).toEqual([]);
      expect(await lines(pair.candidate, "select * from t order by id")).toEqual([
        "(1,fine,{fine})",
        '(2,fine,"{fine,fine}")',
      ]);
    });

    test("large objects are counted, and columns that stand for one are refused", async () => {
      const pair = await prepared(
        "create domain lo as oid; create table files (id int primary key, blob lo); create table olds (id int primary key, blob oid); insert into olds values (1, lo_from_bytea(0, 'abc'))",
        "",
      );
      expect(await rowPort.largeObjects(pair.live)).toBe(1);
      expect(await rowPort.largeObjects(pair.candidate)).toBe(0);
      const catalog = await readCatalog(pair.live);
      expect(() => planBackup(catalog, { files: keepAll })).toThrow(/large objects/);
      expect(planBackup(catalog, { olds: keepAll })).toHaveLength(1);
    });
  });
}
