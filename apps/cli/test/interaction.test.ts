import { describe, expect, test } from "vitest";
import type { Environment, Terminal } from "../src/interaction.ts";
import { terminalOf } from "../src/interaction.ts";

interface Given {
  readonly env?: Environment;
  readonly stdin?: boolean;
  readonly stderr?: boolean;
  readonly columns?: number | undefined;
  readonly depth?: number;
  readonly noColor?: boolean;
}

function terminal({ env = {}, stdin = true, stderr = true, depth = 8, noColor = false, ...rest }: Given): Terminal {
  const columns = "columns" in rest ? rest.columns : 100;
  return terminalOf({
    env,
    stdin: { isTTY: stdin },
    stderr: { isTTY: stderr, columns, getColorDepth: () => depth },
    noColor,
  });
}

test("a person at a terminal can be asked and sees ticks and colour", () => {
  expect(terminal({})).toEqual({ interactive: true, because: null, rich: true, colour: true, columns: 100 });
});

describe("nobody is asked", () => {
  test.each<[string, Given, Terminal["because"], boolean]>([
    ["in a task of turbo, whose screen looks like a terminal", { env: { TURBO_HASH: "a1" } }, "turbo", false],
    ["in CI, whatever the variable says", { env: { CI: "1" } }, "ci", false],
    ["in CI, as most write it", { env: { CI: "true" } }, "ci", false],
    ["by programs that type for somebody", { env: { CLAUDECODE: "1" } }, "agent", false],
    ["by those with names of their own", { env: { CODEX_SANDBOX: "seatbelt" } }, "agent", false],
    ["on a dumb terminal", { env: { TERM: "dumb" } }, "dumb", false],
    ["without a terminal to read from", { stdin: false }, "no-tty", true],
    ["without a terminal to write to", { stderr: false }, "no-tty", false],
    ["where the question would not fit", { columns: 39 }, "narrow", true],
  ])("%s", (_case, given, because, rich) => {
    expect(terminal(given)).toMatchObject({ interactive: false, because, rich });
  });

  test.each<[string, Environment]>([
    ["CI=false is not CI", { CI: "false" }],
    ["an empty CI is not CI", { CI: "" }],
    ["a variable that only begins like one of theirs", { AI_AGENTS_DOCS: "x" }],
  ])("but: %s", (_case, env) => {
    expect(terminal({ env }).interactive).toBe(true);
  });
});

test("exactly 40 columns are enough, and a terminal that has none counts as 80", () => {
  expect(terminal({ columns: 40 }).interactive).toBe(true);
  expect(terminal({ columns: 0 })).toMatchObject({ interactive: true, columns: 80 });
  expect(terminal({ columns: undefined }).columns).toBe(80);
});

test("colour needs a terminal that has it, and nobody who objects", () => {
  expect(terminal({ depth: 1 })).toMatchObject({ rich: true, colour: false });
  expect(terminal({ noColor: true })).toMatchObject({ rich: true, colour: false });
  expect(terminal({ stderr: false })).toMatchObject({ rich: false, colour: false });
  expect(terminal({ env: { CI: "1" } }).colour).toBe(false);
});
