import { describe, expect, test } from "vitest";
import type { KeepRule, MigrationFile } from "../src/index.ts";
import { chooseRoute, planCarry } from "../src/index.ts";
import { catalog, entriesOf, table } from "./catalog-builder.ts";

const file = (name: string, checksum = name): MigrationFile => ({ name, checksum, path: `m/${name}/migration.sql` });
const files = [file("1"), file("2"), file("3")];
const applied = (...names: string[]): { name: string; checksum: string }[] =>
  names.map((name) => ({ name, checksum: name }));

describe("chooseRoute", () => {
  const choose = (migrations: { name: string; checksum: string }[], from = files, migrator = "prisma"): unknown => {
    const route = chooseRoute({ migrator: "prisma", migrations }, { migrator, files: from });
    return route.kind === "replay" ? [route.level, route.pending] : route.why;
  };

  test.each([
    ["a beginning of today's", applied("1"), [1, ["2", "3"]]],
    ["all of today's", applied("1", "2", "3"), "the backup has today's migrations"],
    ["none", [], "the backup knows no migrations"],
    ["one that was edited since", [{ name: "1", checksum: "old" }], "the migration 1 was changed since the backup"],
    ["one that is gone", applied("1", "2b"), "the backup has the migration 2b, which is not among the files"],
    [
      "one too few in the middle",
      applied("1", "3"),
      "the migration 2 stands before 3, and the backup does not have it",
    ],
    [
      "more than there are files",
      applied("1", "2", "3", "4"),
      "the backup has the migration 4, which is not among the files",
    ],
  ])("a backup with %s", (_case, migrations, expected) => {
    expect(choose(migrations)).toEqual(expected);
  });

  test("the same file with other line ends is the same; another migrator is another history", () => {
    const windows = [{ ...file("1", "crlf"), equivalentChecksums: ["1"] }, file("2")];
    expect(choose(applied("1"), windows)).toEqual([1, ["2"]]);
    const level = { migrator: "prisma", migrations: applied("1") };
    expect(chooseRoute(level, { migrator: "prisma", files }, false)).toEqual({
      kind: "direct",
      why: "2 migrations are newer than the backup, and were not to run",
      asked: true,
    });
    expect(choose(applied("1"), files, "sql")).toBe("the backup's migrations are those of prisma");
  });
});

describe("columns by name and by rule", () => {
  const before = catalog(table("users", ["id uuid!", "name text", "lang text", "age integer", "old text"], ["id"]));
  const rule = (more: Partial<KeepRule>): KeepRule => ({ where: null, onConflict: "kept", onMissing: {}, ...more });
  const plan = (columns: string[], more: Partial<KeepRule>, name = "users"): ReturnType<typeof planCarry> =>
    planCarry(entriesOf(before, { users: rule({}) }, 3), catalog(table(name, columns, ["id"])), { [name]: rule(more) });

  test("a rename, a fill, a map, a conversion and a drop each have their place", () => {
    const [users] = plan(["id uuid!", "title text!", "locale text!", "years text", "plan text!"], {
      columns: {
        title: { rename: "name", fill: "'none'" },
        locale: { rename: "lang", map: { "": "en" } },
        years: { convert: "age::text || ' years'" },
        plan: { fill: "'free'" },
        old: { drop: true },
      },
    }).tables;
    expect(users?.columns.map((column) => column && [column.source, column.target.name, column.rule])).toEqual([
      ["id", "id", null],
      ["name", "title", { fill: "'none'" }],
      ["lang", "locale", { map: { "": "en" } }],
      null,
      null,
      [null, "years", { convert: "age::text || ' years'" }],
      [null, "plan", { fill: "'free'" }],
    ]);
    expect(users).toMatchObject({ rung: "map", droppedColumns: ["age"], defaultedColumns: [], suggestions: [] });
  });

  test("equal columns go straight; a rename alone does not make them so", () => {
    const same = ["id uuid!", "name text", "lang text", "age integer", "old text"];
    expect(plan(same, {}).tables[0]?.rung).toBe("straight");
    const renamed = same.map((column) => column.replace("old", "new"));
    expect(plan(renamed, { columns: { new: { rename: "old" } } }).tables[0]?.rung).toBe("map");
  });

  test("a rename is suggested where one column of a type has gone and one has come, and is never assumed", () => {
    const [users] = plan(["id uuid!", "name text", "lang text", "years integer", "old text"], {}).tables;
    expect(users?.suggestions).toEqual(['was age renamed to years? If so: columns: { years: { rename: "age" } }']);
    expect(users?.droppedColumns).toEqual(["age"]);
    // Two have gone: nobody can tell which.
    expect(plan(["id uuid!", "title text", "years integer", "old text"], {}).tables[0]?.suggestions).toEqual([
      'was age renamed to years? If so: columns: { years: { rename: "age" } }',
    ]);
  });

  test("a table that was called otherwise is found by its rule", () => {
    const columns = ["id uuid!", "name text", "lang text", "age integer", "old text"];
    expect(plan(columns, {}, "accounts").impossible).toHaveLength(1);
    const renamed = plan(columns, { renamedFrom: "users" }, "accounts");
    expect(renamed.impossible).toEqual([]);
    expect(renamed.tables[0]).toMatchObject({ rung: "map", why: "columns go by name and by rule" });
  });
});
