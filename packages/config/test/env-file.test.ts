import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { expand, parseEnvFile } from "../src/env-file.ts";

const valuesOf = (text: string): Record<string, string> =>
  Object.fromEntries([...parseEnvFile(text)].map(([name, { value }]) => [name, value]));

describe("an env file", () => {
  test.each([
    "A=1\nB=2\n",
    "A=1\r\nB=2\r\n",
    'A="x\r\ny"\r\nB=2',
    "export A=1",
    "  export   A  =  'q'  \nB=1",
    'A="x\ny"\nB=2',
    'A="x # y" # comment\nB=2',
    "A=x # y\nB=a#b",
    "A='a\nB=2\n'\nB=3",
    "A=`x \"y\" 'z'`\nB=1",
    'A="unclosed\nB=2',
    '# A="\nB=2',
    "A=1\nA=2",
    "A\nB=1",
    "A=\nB=1",
    'A=""\nB=1',
    'A="a\\nb"',
    "A='a\\nb'",
    "A='${B}'",
    'A=x"y\nB=1',
    'A="x"y\nB=1',
    'A="x" B="y"\nC=1',
    "A=1;B=2",
    "A=postgres://u:p@h:5432/db?sslmode=require&a=b==",
    "",
  ])("%j is read as Node reads it", (text) => {
    expect(valuesOf(text)).toEqual(parseEnv(text));
  });

  test("a blank after an empty value does not swallow the next line, as it does in Node", () => {
    expect(valuesOf("A= \nB=1")).toEqual({ A: "", B: "1" });
  });

  test("a byte order mark is no part of the first name", () => {
    expect(valuesOf("\uFEFFA=1")).toEqual({ A: "1" });
  });

  test.each<[string, string, number]>([
    ["the first line", "URL=x", 1],
    ["after comments and blank lines", "# URL=no\n\n\tURL=x", 3],
    ["after a value of several lines that looks like it", 'KEY="\nURL=no\n"\nexport URL=x', 4],
    ["with the line ends of Windows", "A=1\r\n\r\nURL=x", 3],
    ["of two, the one that counts", "URL=no\nA=1\nURL=x", 3],
  ])("the line of a variable: %s", (_name, text, line) => {
    expect(parseEnvFile(text).get("URL")).toEqual({ value: "x", line });
  });

  test("hostile names are names", () => {
    expect(parseEnvFile("__proto__=1\nconstructor=2").get("__proto__")?.value).toBe("1");
    expect(parseEnvFile("").get("constructor")).toBeUndefined();
  });
});

describe("references", () => {
  const file = parseEnvFile(
    ["HOST=db.local", "PORT=5433", "AT=${HOST}:${PORT}", "A=${B}", "B=${A}", "EMPTY=", "SHELL_WINS=file"].join("\n"),
  );
  const environment = (name: string): string | undefined => ({ SHELL_WINS: "shell", LITERAL: "pa${HOST}ss" })[name];

  test.each<[string, string, readonly string[]]>([
    ["${HOST}", "db.local", []],
    ["postgres://${AT}/app", "postgres://db.local:5433/app", []],
    ["${SHELL_WINS}", "shell", []],
    ["${LITERAL}", "pa${HOST}ss", []],
    [String.raw`\${HOST}`, "${HOST}", []],
    ["${NOBODY:-fallback}", "fallback", []],
    ["${NOBODY-fallback}", "fallback", []],
    ["${EMPTY:-fallback}", "fallback", []],
    ["${EMPTY}", "", []],
    ["a${NOBODY}b", "ab", ["NOBODY"]],
    ["${A}", "", ["A"]],
    ["$HOST and $$ and ${} stay", "$HOST and $$ and ${} stay", []],
  ])("%s", (value, expected, missing) => {
    expect(expand(value, { environment, file })).toEqual({ value: expected, missing });
  });
});
