import { describe, expect, test } from "vitest";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Prepare } from "./pairs.ts";

/** Kept rows that meet rows of the seeds: by column, by two keys at once, and by what is no key of the catalog. */
export function mergeCases(prepared: Prepare): void {
  describe("columns that stay those of the seed", () => {
    const schema = `create table owners (id int primary key, login text not null unique);
      create table plans (id int primary key, code text not null unique, description varchar(20), owner int references owners, price numeric(8,2));`;

    test("where a kept row takes a seeded one's place; rows without one keep their own", async () => {
      const pair = await prepared(
        `${schema} insert into owners values (1, 'a'), (2, 'b'); insert into plans values (1, 'free', 'edited', 1, 5), (2, 'own', 'mine', 2, 7)`,
        `${schema} insert into owners values (11, 'a'), (12, 'b'); insert into plans values (9, 'free', 'of the seed', 12, 3)`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        plans: { ...keepAll, columns: { description: { from: "seed" }, owner: { from: "seed" } } },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select * from plans order by id")).toEqual([
        '(1,free,"of the seed",12,5.00)',
        "(2,own,mine,12,7.00)",
      ]);
      expect(outcome.tables).toMatchObject([{ carried: 2, replacedSeeded: 1, merged: ["id=1"] }]);
    });

    test("and are references of a cycle: they mean the kept rows that took the places", async () => {
      const circle = `create table owners (id int primary key, login text not null unique, favourite int, note text);
        create table plans (id int primary key, code text not null unique, owner int references owners);
        alter table owners add foreign key (favourite) references plans;`;
      const pair = await prepared(
        `${circle} insert into owners values (1, 'a', null, 'kept'), (2, 'mine', null, 'kept'); insert into plans values (1, 'free', 2), (2, 'own', 1);
         update owners set favourite = 2`,
        `${circle} insert into owners values (11, 'a', null, 'seed'), (12, 'b', null, 'seed'); insert into plans values (91, 'free', 11), (92, 'pro', 12);
         update owners set favourite = 91`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        owners: { ...keepAll, columns: { favourite: { from: "seed" } } },
        plans: { ...keepAll, columns: { owner: { from: "seed" } } },
      });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(await lines(pair.candidate, "select * from owners order by id")).toEqual([
        "(1,a,1,kept)",
        "(2,mine,2,kept)",
        "(12,b,1,seed)",
      ]);
      expect(await lines(pair.candidate, "select * from plans order by id")).toEqual([
        "(1,free,1)",
        "(2,own,1)",
        "(92,pro,12)",
      ]);
    });

    test("a value of the seed that did not stay is noticed", async () => {
      const pair = await prepared(
        `${schema} insert into plans values (1, 'free', 'edited', null, 5)`,
        `${schema} insert into plans values (1, 'free', 'of the seed', null, 3);
         create rule meddling as on update to plans do instead nothing;`,
      );
      const { findings } = await carryBetween(pair.live, pair.candidate, {
        plans: { ...keepAll, columns: { description: { from: "seed" } } },
      });
      expect(findings).toEqual([
        "plans: 1 rows in the backup, but 0 read back unchanged, 0 dropped by rule, 0 quarantined",
      ]);
    });
  });

  describe("a row with the keys of two seeded rows", () => {
    const schema = "create table t (id int primary key, mail text unique, a int, b int, unique (a, b));";
    test.each(["kept", "error"] as const)("is named with both keys (%s)", async (onConflict) => {
      const pair = await prepared(
        `${schema} insert into t values (1, 'x@y', 1, 2), (2, 'z', 3, 4)`,
        `${schema} insert into t values (1, 'other', 5, 6), (8, 'x@y', 7, 8), (9, 'more', 1, 2)`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, { t: { ...keepAll, onConflict } });
      expect(findings).toEqual([]);
      const what =
        onConflict === "error"
          ? "a row of the seeds has the same key of t"
          : "two different rows of the seeds have its keys of t";
      expect(outcome.quarantined).toEqual([
        { table: { schema: "public", name: "t" }, row: "id=1", reason: `${what}: a=1, b=2 and id=1 and mail=x@y` },
      ]);
      expect(outcome.tables).toMatchObject([{ carried: 1, dropped: 0, quarantined: 1 }]);
    });

    test("gives way to them by the rule seed, and who means it means the one with its primary key", async () => {
      const pair = await prepared(
        `${schema} create table u (id int primary key, t int references t, m text references t (mail));
         insert into t values (1, 'x@y', 1, 2), (2, 'z', 3, 4); insert into u values (1, 1, 'x@y'), (2, 2, 'z')`,
        `${schema} create table u (id int primary key, t int references t, m text references t (mail));
         insert into t values (1, 'other', 5, 6), (8, 'x@y', 7, 8), (9, 'more', 1, 2)`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        t: { ...keepAll, onConflict: "seed" },
        u: keepAll,
      });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(outcome.tables.map(({ carried, dropped }) => [carried, dropped])).toEqual([
        [1, 1],
        [2, 0],
      ]);
      expect(await lines(pair.candidate, "select * from u order by id")).toEqual(["(1,1,other)", "(2,2,z)"]);
    });

    test("two keys of one and the same seeded row are no conflict", async () => {
      const pair = await prepared(
        `${schema} insert into t values (1, 'x@y', 1, 2)`,
        `${schema} insert into t values (1, 'x@y', 1, 2)`,
      );
      const { outcome } = await carryBetween(pair.live, pair.candidate, { t: keepAll });
      expect(outcome.tables).toMatchObject([{ carried: 1, replacedSeeded: 1, quarantined: 0 }]);
    });
  });

  describe("what makes rows exclude each other without being a key", () => {
    test.each([
      ["a partial unique index", "create unique index one_active on t (v) where active", /one_active/],
      ["a unique index on an expression", "create unique index one_lower on t (lower(v))", /one_lower/],
      ["an exclusion constraint", "alter table t add constraint apart exclude using gist (during with &&)", /apart/],
    ])("%s: the kept row is named with the server's reason", async (_name, constraint, reason) => {
      const schema = `create table t (id int primary key, v text, active boolean, during int4range); ${constraint};`;
      const pair = await prepared(
        `${schema} insert into t values (1, 'A', true, '[1,5)'), (2, 'b', true, '[10,11)')`,
        `${schema} insert into t values (9, 'A', true, '[3,4)')`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toMatchObject([{ row: "id=1", reason: expect.stringMatching(reason) }]);
      expect(await lines(pair.candidate, "select id from t order by id")).toEqual(["(2)", "(9)"]);
    });
  });
}
