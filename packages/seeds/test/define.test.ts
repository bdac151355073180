import { describe, expect, test } from "vitest";
import { isSeed } from "../src/define.ts";
import { defineSeed } from "../src/index.ts";
import { callerOf, framesOf, syntaxErrorFrame } from "../src/stack.ts";

const run = async (): Promise<void> => {};

describe("defineSeed", () => {
  test("fills in what was left out, and knows its line", () => {
    const seed = defineSeed({ name: "servers", run });
    expect(seed).toMatchObject({ name: "servers", set: "system", description: null, dependsOn: [], mayBeEmpty: false });
    expect(seed.site?.file).toBe(import.meta.filename);
    expect(isSeed(seed)).toBe(true);
    expect(isSeed({ ...seed, name: "other" })).toBe(true);
    expect(isSeed({ name: "servers", run })).toBe(false);
    expect(isSeed(run)).toBe(false);
  });

  test.each([
    [{ name: "Servers", run }, [`name "Servers" is not lower-case letters, digits and dashes`]],
    [{ name: "-a", set: "a b", run }, [expect.stringContaining(`name "-a"`), expect.stringContaining(`set "a b"`)]],
    [{ name: "a", dependsOn: "b", run }, [`dependsOn "b" is no list of names`]],
    [{ name: "a", dependsOn: ["b", 3], run }, [expect.stringContaining("dependsOn: 3 is not")]],
    [{ name: "a" }, ["run undefined is no function"]],
    [{ run: 1 }, [expect.stringContaining("name undefined"), "run 1 is no function"]],
    [null, ["the definition null is no object"]],
  ])("refuses %j", (definition, items) => {
    expect(() => defineSeed(definition as never)).toThrow(
      expect.objectContaining({ code: "REPLANT_SEED_INVALID", details: { items } }),
    );
  });
});

describe("stack frames", () => {
  test("every form in which a file stands there", () => {
    const stack = [
      "Error: at (first) line of the message",
      "    at run (file:///seeds/a%20b.ts?v=1:3:9)",
      "    at async file:///seeds/c.ts:4:1",
      "    at /seeds/d (copy).ts:5:2",
      "    at async Object.run (/seeds/e.ts:6:7)",
      "    at new Helper (C:\\seeds\\f.ts:7:8)",
      "    at Array.map (<anonymous>)",
      "    at async Promise.all (index 0)",
      "    at node:internal/process/task_queues:103:5",
    ].join("\n");
    expect(framesOf(stack)).toEqual([
      { file: "/seeds/a b.ts", line: 3 },
      { file: "/seeds/c.ts", line: 4 },
      { file: "/seeds/d (copy).ts", line: 5 },
      { file: "/seeds/e.ts", line: 6 },
      { file: "C:\\seeds\\f.ts", line: 7 },
    ]);
    expect(framesOf(undefined)).toEqual([]);
  });

  test("the caller is who called, not who is called", () => {
    const callee = (): unknown => callerOf(callee);
    expect(callee()).toMatchObject({ file: import.meta.filename });
  });

  test("a syntax error names its place in front", () => {
    const error = new SyntaxError("Unexpected token");
    error.stack = `file:///seeds/a.ts:12\nconst = 1;\n      ^\n\n${error.stack}`;
    expect(syntaxErrorFrame(error)).toEqual({ file: "/seeds/a.ts", line: 12 });
    const parse = new Error('ParseError: Unexpected token, expected ","  \n /seeds/b.ts:4:12');
    expect(syntaxErrorFrame(parse)).toEqual({ file: "/seeds/b.ts", line: 4 });
    expect(syntaxErrorFrame(new Error("other"))).toBeNull();
    expect(syntaxErrorFrame("text")).toBeNull();
  });
});
