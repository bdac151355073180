import { describe, expect, test } from "vitest";
import { excerpt } from "../../src/shared/excerpt.ts";
import { locateError, splitStatements } from "../../src/shared/locate.ts";

describe("splitStatements", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["-- only a comment\n", []],
    ["a; b", ["a", "b"]],
    ["-- one\na;\n/* two; */ b ;", ["a", "b "]],
    ["select ';', \"a;b\", E'it\\';s', 'it'';s'; b", ["select ';', \"a;b\", E'it\\';s', 'it'';s'", "b"]],
    ["do $$ begin a; end $$; b", ["do $$ begin a; end $$", "b"]],
    ["do $x$ a; $$ ; $x$; b", ["do $x$ a; $$ ; $x$", "b"]],
    ["select $1; b", ["select $1", "b"]],
  ];
  test.each(cases)("%j", (text, statements) => {
    expect(splitStatements(text).map((statement) => statement.text)).toEqual(statements);
  });
});

describe("locateError", () => {
  test("counts characters, not bytes or UTF-16 units", () => {
    const text = "-- \u{1F600} é\nselect \u{1F600} x";
    const position = Array.from(text).indexOf("x") + 1;
    expect(locateError(text, { position: String(position) })).toEqual({ line: 2, column: 10, sure: true });
  });

  test("a position behind the end is the end", () => {
    expect(locateError("select\n1", { position: "99" })).toEqual({ line: 2, column: 2, sure: true });
  });

  test("the first character of a text that begins with a line end", () => {
    expect(locateError("\nselect", { position: "1" })).toEqual({ line: 1, column: 1, sure: true });
  });

  test("names are told apart from longer ones and from patterns", () => {
    const text = 'alter table "user.s_old" add a;\nalter table "user.s" add b;\nalter table "userxs" add c;';
    expect(locateError(text, { table: "user.s" })).toMatchObject({ line: 2, sure: false });
  });

  test("nothing to go by", () => {
    expect(locateError("select 1", { message: "canceling statement due to user request" })).toBeNull();
  });
});

describe("excerpt", () => {
  test("two lines around, the column pointed at", () => {
    const text = ["one", "two", "three", "four", "five", "six"].join("\n");
    expect(excerpt(text, { line: 4, column: 3, sure: true })).toBe(
      ["  2 | two", "  3 | three", "> 4 | four", "    |   ^", "  5 | five", "  6 | six"].join("\n"),
    );
  });

  test("the ends of a text, numbers of different width, no caret without a column", () => {
    const text = Array.from({ length: 10 }, (_, index) => `line ${index + 1}`).join("\n");
    expect(excerpt(text, { line: 9, column: null, sure: true })).toBe(
      ["   7 | line 7", "   8 | line 8", ">  9 | line 9", "  10 | line 10"].join("\n"),
    );
  });

  test("a long line is cut around the column, and control characters cannot reach the terminal", () => {
    const line = `${"a".repeat(500)}\u001B[31m\tX${"b".repeat(500)}`;
    const [shown = "", caret = ""] = excerpt(line, { line: 1, column: line.indexOf("X") + 1, sure: true }).split("\n");
    expect(shown.length).toBeLessThan(120);
    expect(shown[caret.indexOf("^")]).toBe("X");
    expect(shown).not.toMatch(/\p{Cc}/u);
  });
});
