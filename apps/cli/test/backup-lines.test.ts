import { expect, test } from "vitest";
import { differenceLines, exportLines, rowLines } from "../src/render/backup.ts";
import { styleOf } from "../src/render/style.ts";
import { terminalOf } from "../src/interaction.ts";
import { fakeScreen } from "./screen.ts";

const { options } = fakeScreen();
const style = styleOf(terminalOf({ env: {}, stdin: options.stdin, stderr: options.stderr, noColor: false }));

test("rows stand in columns, and a terminal obeys none of them", () => {
  const rows: (string | null)[][] = [
    ["1", "a\u001b[2Jb\nc"],
    ["22", null],
  ];
  expect(rowLines({ columns: ["id", "name"], rows, shown: 2, total: 1200 }, style)).toEqual([
    "  id  name",
    "  1   a\\u001b[2Jb\\nc",
    "  22",
    "  2 rows, 1,198 more: --limit=1200",
  ]);
  expect(rowLines({ columns: ["id"], rows: [["x".repeat(100)]], shown: 1, total: 1 }, style)[1]).toHaveLength(42);
  expect(rowLines({ columns: ["id"], rows: [], shown: 0, total: 0 }, style)).toEqual(["  0 rows"]);
});

test("a difference says what there is to say", () => {
  const base = { key: ["id"], added: 0, removed: 0, changed: 0, same: 3, addedColumns: [], removedColumns: [] };
  expect(
    differenceLines([
      { ...base, table: "users" },
      { ...base, table: "orgs", added: 1, removed: 2000, changed: 1, addedColumns: ["plan"], removedColumns: ["tier"] },
    ]),
  ).toEqual([
    "  users: 3 the same",
    "  orgs: 1 added, 2,000 removed, 1 changed, 3 the same, column plan is new, column tier is gone",
  ]);
});

test("an export names the columns that JSON has nothing exact for", () => {
  expect(exportLines({ file: "a.json", textColumns: ["users.at (timestamp)"] }, style)).toEqual([
    expect.stringContaining("JSON has nothing exact"),
    "    users.at (timestamp)",
    expect.stringContaining("a.json"),
  ]);
});
