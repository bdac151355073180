import type { SqlSession } from "@replant/core";
import { describe, expect, test } from "vitest";
import { openContext, type SeedContext } from "../src/context.ts";
import { databases } from "./sessions.ts";

async function prepared(
  open: () => Promise<SqlSession>,
  ddl: string,
): Promise<{ session: SqlSession; context: SeedContext }> {
  const session = await open();
  await session.script(ddl);
  return { session, context: openContext(session, null).context };
}

/** True when `work` makes the server write something. */
async function writes(session: SqlSession, work: () => Promise<unknown>): Promise<boolean> {
  await session.query("begin");
  await work();
  const [row] = await session.query<{ written: boolean }>(
    "select pg_current_xact_id_if_assigned() is not null as written",
  );
  await session.query("commit");
  return row?.written === true;
}

describe.each(databases)("upsert on $engine", ({ open }) => {
  test("every kind of value arrives as it was meant, and a second run writes nothing", async () => {
    const { session, context } = await prepared(
      open,
      `create type mood as enum ('fine', 'it''s "bad"');
       create type pair as (a int, b text);
       create domain tags as jsonb;
       create schema "Odd schema";
       create table "Odd schema"."Odd ""table" (
         "the key" text primary key, small int2, big int8, num numeric(20,4), dbl float8, flag boolean, id uuid,
         at timestamptz, day date, span interval, raw bytea, words text[], grid int[][], mood mood, moods mood[],
         doc jsonb, docs jsonb[], exact json, dom tags, pair pair, short varchar(5), fixed char(4), nothing text,
         net inet, made int generated always as (small * 2) stored
       )`,
    );
    const rows = [
      {
        "the key": "a",
        small: 7,
        big: 9_223_372_036_854_775_807n,
        num: "1234567890123456.7891",
        dbl: Number.NEGATIVE_INFINITY,
        flag: true,
        id: "0b7e8f0e-6d4c-4a53-9a0a-0a6a6c1f2b3d",
        at: new Date("2026-01-02T03:04:05.678Z"),
        day: "2026-02-28",
        span: "1 day 02:03:04",
        raw: Uint8Array.from([0, 255, 16]),
        words: ["plain", 'quo"te', "com,ma", "{brace}", null, "back\\slash", ""],
        grid: [
          [1, 2],
          [3, null],
        ],
        mood: `it's "bad"`,
        moods: ["fine", `it's "bad"`],
        doc: { b: [1, { c: null }], a: "\u{1F600} é", at: new Date(0) },
        docs: [{ x: 1 }, "text", 3],
        exact: { z: 1, a: 1.5 },
        dom: ["t"],
        pair: { a: 1, b: "two" },
        short: "12345",
        fixed: "ab",
        nothing: null,
        net: "10.0.0.0/8",
      },
    ];
    const table = 'Odd schema.Odd "table';
    expect(await context.upsert(table, rows, { key: ["the key"] })).toBe(1);
    const [stored] = await session.query(
      `select small::text, big::text, num::text, dbl::text, flag::text, id::text, extract(epoch from at)::text as at, day::text,
              span::text, encode(raw, 'hex') as raw, words::text, grid::text, mood::text, moods::text, doc::text,
              docs::text, exact::text, dom::text, pair::text, short, fixed::text || '|' as fixed, nothing, net::text, made::text
         from "Odd schema"."Odd ""table"`,
    );
    expect(stored).toEqual({
      small: "7",
      big: "9223372036854775807",
      num: "1234567890123456.7891",
      dbl: "-Infinity",
      flag: "true",
      id: "0b7e8f0e-6d4c-4a53-9a0a-0a6a6c1f2b3d",
      at: "1767323045.678000",
      day: "2026-02-28",
      span: "1 day 02:03:04",
      raw: "00ff10",
      words: '{plain,"quo\\"te","com,ma","{brace}",NULL,"back\\\\slash",""}',
      grid: "{{1,2},{3,NULL}}",
      mood: `it's "bad"`,
      moods: `{fine,"it's \\"bad\\""}`,
      doc: '{"a": "\u{1F600} é", "b": [1, {"c": null}], "at": "1970-01-01T00:00:00.000Z"}',
      docs: '{"{\\"x\\": 1}","\\"text\\"",3}',
      exact: '{"z":1,"a":1.5}',
      dom: '["t"]',
      pair: "(1,two)",
      short: "12345",
      fixed: "ab|",
      nothing: null,
      net: "10.0.0.0/8",
      made: "14",
    });

    const again = (): Promise<number> => context.upsert(table, rows, { key: ["the key"] });
    expect(await writes(session, again)).toBe(false);
    expect(await again()).toBe(0);
    expect(
      await writes(session, () =>
        context.upsert(table, [{ ...rows[0], exact: { a: 1.5, z: 1 } }], { key: ["the key"] }),
      ),
    ).toBe(true);
  });

  test("only what is new or different is written, in the order of the rows, without using up numbers", async () => {
    const { session, context } = await prepared(
      open,
      "create table t (id int generated always as identity primary key, a text, b int, v text, unique (a, b))",
    );
    const row = (a: string, b: number, v: string): object => ({ v, b, a });
    const key = ["b", "a"];
    const first = [row("x", 1, "1"), row("x", 2, "2"), row("y", 1, "3")];
    expect(await context.upsert("t", first, { key })).toBe(3);
    expect(await context.upsert("t", [...first, row("z", 9, "4")], { key })).toBe(1);
    expect(await context.upsert("t", [row("x", 1, "1"), row("x", 2, "new")], { key })).toBe(1);
    expect(await session.query("select id, a, b, v from t order by id")).toEqual([
      { id: 1, a: "x", b: 1, v: "1" },
      { id: 2, a: "x", b: 2, v: "new" },
      { id: 3, a: "y", b: 1, v: "3" },
      { id: 4, a: "z", b: 9, v: "4" },
    ]);
  });

  test("update says which columns follow the seed; none for an empty list", async () => {
    const { session, context } = await prepared(open, "create table t (k text primary key, a text, b text)");
    const rows = (value: string): object[] => [{ k: "k", a: value, b: value }];
    await context.upsert("public.t", rows("1"), { key: ["k"] });
    expect(await context.upsert("t", rows("2"), { key: ["k"], update: [] })).toBe(0);
    expect(await context.upsert("t", rows("2"), { key: ["k"], update: ["a"] })).toBe(1);
    expect(await context.upsert("t", rows("2"), { key: ["k"], update: ["a"] })).toBe(0);
    expect(await session.query("select k, a, b from t")).toEqual([{ k: "k", a: "2", b: "1" }]);
  });

  test("a column that only the database may write takes the given value where it is inserted", async () => {
    const { session, context } = await prepared(
      open,
      "create table t (id int generated always as identity primary key, k text unique, v text)",
    );
    expect(await context.upsert("t", [{ id: 70, k: "a", v: "1" }], { key: ["k"] })).toBe(1);
    expect(await context.upsert("t", [{ id: 71, k: "a", v: "2" }], { key: ["k"] })).toBe(1);
    expect(await session.query("select id, v from t")).toEqual([{ id: 70, v: "2" }]);
  });

  test("a change of case counts where the column does not see it", async () => {
    const { session, context } = await prepared(
      open,
      `create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       create table t (k int primary key, v text collate nocase)`,
    ).catch((error: unknown) => {
      // Not every build has ICU; one that has none cannot have such a column either.
      if (String(error).includes("ICU")) return { session: null, context: null };
      throw error;
    });
    if (session === null) return;
    await context.upsert("t", [{ k: 1, v: "a" }], { key: ["k"] });
    expect(await context.upsert("t", [{ k: 1, v: "A" }], { key: ["k"] })).toBe(1);
    expect(await session.query("select v from t")).toEqual([{ v: "A" }]);
  });

  test("ten thousand rows are one statement", async () => {
    const { session, context } = await prepared(open, "create table t (k int primary key, v text)");
    const rows = Array.from({ length: 10_000 }, (_, k) => ({ k, v: "x".repeat(20) }));
    expect(await context.upsert("t", rows, { key: ["k"] })).toBe(10_000);
    expect(await context.upsert("t", rows, { key: ["k"] })).toBe(0);
    expect(await session.query("select count(*)::text as n from t")).toEqual([{ n: "10000" }]);
  });

  test("what cannot be is refused in the seed's terms, before anything is sent", async () => {
    const { context } = await prepared(
      open,
      "create table t (k text primary key, a int, doc jsonb, docs jsonb[], u text, unique (a, u)); create table bare (a int)",
    );
    const refused = async (
      table: string,
      rows: readonly object[],
      key: string[],
      update?: string[],
    ): Promise<unknown> =>
      context.upsert(table, rows, { key, ...(update && { update }) }).then(
        () => "accepted",
        (error: { code: string; message: string; details: { hint?: string } }) =>
          [error.code, error.message, error.details.hint].filter(Boolean).join(" | "),
      );
    expect(await refused("tt", [{ k: "a" }], ["k"])).toContain('there is no table "tt"');
    expect(await refused("t", [{ k: "a", emial: 1 }], ["k"])).toBe(
      'REPLANT_SEED_FAILED | table "t" has no column "emial" | its columns are k, a, doc, docs, u',
    );
    expect(await refused("t", [{ k: "a", a: 1 }], ["a"])).toBe(
      'REPLANT_SEED_FAILED | table "t" has no unique key on (a) | its keys are (k) and (a, u)',
    );
    expect(await refused("t", [{ k: "a", a: 1 }], ["k", "a"])).toContain("no unique key on (k, a)");
    expect(await refused("t", [{ k: "a", docs: [1n] }], ["k"])).toContain("1 has no form in JSON");
    expect(await refused("bare", [{ a: 1 }], ["a"])).toContain("upsert needs a primary key or a unique constraint");
    expect(await refused("t", [{ a: 1 }], ["k"])).toContain('column "k" is named by key or update');
    expect(await refused("t", [{ k: "a" }], ["k"], ["a"])).toContain('column "a" is named by key or update');
    expect(
      await refused(
        "t",
        [
          { k: "a", a: 1 },
          { k: "b", a: undefined },
        ],
        ["k"],
      ),
    ).toContain('row 2 for table "t" has no "a"');
    expect(await refused("t", [{ k: null, a: 1 }], ["k"])).toContain("a key cannot be null");
    expect(await refused("t", [{ k: "a", a: new Date("x") }], ["k"])).toContain("an invalid date");
    expect(await refused("t", [{ k: "a", doc: { n: [1n] } }], ["k"])).toContain('column "doc": 1 has no form in JSON');
    expect(await refused("t", [{ k: "a", doc: { n: Number.NaN } }], ["k"])).toContain("NaN has no form in JSON");
    expect(await refused("t", [{ k: "a", a: () => 1 }], ["k"])).toContain("a function is no value");
    expect(await refused("t", [], ["k"])).toBe("accepted");
    expect(await refused("t", [], ["a"])).toContain("no unique key");
  });

  test("an index that the server cannot use to tell rows apart is no key", async () => {
    const { context } = await prepared(
      open,
      `create table t (a int, b int, c int unique deferrable, d int);
       create unique index on t (a) where b > 0; create unique index on t ((b + 1)); create unique index on t (d) include (a)`,
    );
    for (const key of ["a", "b", "c"]) {
      await expect(context.upsert("t", [{ [key]: 1 }], { key: [key] })).rejects.toMatchObject({
        details: { hint: "its keys are (d)" },
      });
    }
    expect(await context.upsert("t", [{ d: 1, a: 1 }], { key: ["d"] })).toBe(1);
  });
});
