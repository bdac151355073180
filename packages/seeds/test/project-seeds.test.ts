import { describe, expect, test } from "vitest";
import { checkCommandSeed } from "../src/command-seed.ts";
import { chooseSeeds, orderSeeds, type ProjectSeed } from "../src/project-seeds.ts";

const seed = (name: string, dependsOn: string[] = [], set = "system"): ProjectSeed => ({
  ...checkCommandSeed({ name, set, dependsOn, command: ["true"], inputs: ["x"] }),
  where: `seeds/${name}.ts:1`,
});
const names = (seeds: readonly ProjectSeed[]): string[] => seeds.map(({ name }) => name);

describe("orderSeeds", () => {
  test("dependencies first, otherwise as found", () => {
    const found = [seed("d", ["c", "a"]), seed("a"), seed("c", ["b"]), seed("b"), seed("e")];
    expect(names(orderSeeds(found))).toEqual(["b", "c", "a", "d", "e"]);
  });

  test("a name that is used twice is named with both places", () => {
    const again = { ...seed("a"), where: "seeds/other.ts:7" };
    expect(() => orderSeeds([seed("a"), again])).toThrow(
      expect.objectContaining({
        code: "REPLANT_SEED_INVALID",
        message: 'two seeds are named "a"',
        details: expect.objectContaining({ items: ["seeds/a.ts:1", "seeds/other.ts:7"] }),
      }),
    );
  });

  test("a dependency that does not exist", () => {
    expect(() => orderSeeds([seed("a", ["ghost"]), seed("b")])).toThrow(
      expect.objectContaining({
        code: "REPLANT_SEED_UNKNOWN",
        message: 'seed "a" depends on "ghost", which does not exist',
        details: { where: "seeds/a.ts:1", hint: "the seeds are a, b" },
      }),
    );
  });

  test.each([
    [[seed("a", ["a"])], "a -> a"],
    [[seed("x"), seed("a", ["b"]), seed("b", ["c"]), seed("c", ["a"])], "a -> b -> c -> a"],
  ])("a circle is named: %#", (seeds, path) => {
    expect(() => orderSeeds(seeds)).toThrow(
      expect.objectContaining({
        code: "REPLANT_SEED_CYCLE",
        message: `seeds depend on each other in a circle: ${path}`,
      }),
    );
  });
});

describe("chooseSeeds", () => {
  const all = orderSeeds([
    seed("servers"),
    seed("prompts", ["servers"]),
    seed("people", ["roles"], "mock"),
    seed("roles", [], "extra"),
    seed("lonely", [], "extra"),
  ]);

  test.each([
    [{ sets: null, only: null }, ["servers", "prompts"]],
    [{ sets: ["mock"], only: null }, ["roles", "people"]],
    [{ sets: ["mock", "extra"], only: null }, ["roles", "people", "lonely"]],
    [{ sets: null, only: ["prompts"] }, ["servers", "prompts"]],
    [{ sets: ["extra"], only: ["people"] }, ["roles", "people"]],
    [{ sets: [], only: null }, []],
  ])("%j", (choice, chosen) => {
    expect(names(chooseSeeds(all, choice, ["system"]))).toEqual(chosen);
  });

  test("a default set need not exist, a chosen one must", () => {
    expect(chooseSeeds(all, { sets: null, only: null }, ["none"])).toEqual([]);
    expect(() => chooseSeeds(all, { sets: ["mok"], only: null }, [])).toThrow(
      expect.objectContaining({
        code: "REPLANT_SEED_UNKNOWN",
        message: 'there is no set named "mok"',
        details: { hint: "the sets are extra, mock, system" },
      }),
    );
    expect(() => chooseSeeds([], { sets: null, only: ["x"] }, [])).toThrow(
      expect.objectContaining({ details: { hint: "the project has no seeds" } }),
    );
  });
});

describe("checkCommandSeed", () => {
  test("names everything that is wrong", () => {
    expect(() => checkCommandSeed({ name: "A", set: "", command: [], inputs: [] })).toThrow(
      expect.objectContaining({
        code: "REPLANT_SEED_INVALID",
        details: {
          items: [
            expect.stringContaining('name "A"'),
            expect.stringContaining('set ""'),
            "command is empty",
            expect.stringContaining("inputs is empty"),
          ],
        },
      }),
    );
  });
});
