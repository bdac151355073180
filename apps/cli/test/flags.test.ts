import { describe, expect, test } from "vitest";
import { allFlags, entryOf, loadCommand } from "../src/commands/index.ts";
import type { Arguments } from "../src/flags.ts";
import { kebab, readArguments, wordsOf } from "../src/flags.ts";

const known = await allFlags();

async function read(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Arguments> {
  const entry = entryOf(wordsOf(argv));
  const flags = entry === undefined ? {} : (await loadCommand(entry)).spec.flags;
  return readArguments(argv, { env, flags, known });
}

/** The environment of a script that npm runs. */
function npm(config: Readonly<Record<string, string>>, event = "db:reset"): Record<string, string> {
  const variables = Object.entries(config).map(([name, value]) => [`npm_config_${name}`, value]);
  return {
    npm_lifecycle_event: event,
    npm_config_user_agent: "npm/11.19.1 node/v20.20.2 linux x64",
    // npm writes false as nothing.
    npm_config_yes: "",
    npm_config_audit: "",
    ...Object.fromEntries(variables),
  };
}

test.each<[string, string[], string[]]>([
  ["one leading -- is dropped", ["reset", "--", "--dry-run"], ["reset", "--dry-run"]],
  ["wherever the script puts it", ["reset", "--force", "--", "--yes=app"], ["reset", "--force", "--yes=app"]],
  ["a second one stays, for the parser to refuse", ["reset", "--", "--", "x"], ["reset", "--", "x"]],
  ["help is a flag", ["help", "reset"], ["reset", "--help"]],
  ["a bare --json is one document", ["status", "--json", "x"], ["status", "--json=document", "x"]],
  ["events stay events", ["status", "--json=stream"], ["status", "--json=stream"]],
])("%s", async (_case, raw, expected) => {
  expect(await read(raw)).toMatchObject({ argv: expected, problem: null });
});

test("what has to be known when parsing fails is known", async () => {
  expect(await read(["rest", "--json", "--debug", "--no-color"])).toMatchObject({
    json: "document",
    debug: true,
    noColor: true,
  });
  expect((await read(["x", "--json=stream"])).json).toBe("stream");
  expect((await read(["x"])).json).toBeNull();
});

test("--yes has to name the database", async () => {
  for (const argv of [
    ["reset", "--force", "--yes"],
    ["reset", "--yes", "app_dev"],
  ]) {
    expect((await read(argv)).problem).toMatchObject({ code: "REPLANT_USAGE" });
  }
  expect((await read(["reset", "--yes=app_dev"])).problem).toBeNull();
});

describe("flags that npm keeps", () => {
  test("--dry-run and --json are honoured", async () => {
    expect(await read(["reset"], npm({ dry_run: "true" }))).toMatchObject({
      argv: ["reset", "--dry-run"],
      problem: null,
    });
    expect(await read(["reset"], npm({ json: "true", dry_run: "true" }))).toMatchObject({
      argv: ["reset", "--json=document", "--dry-run"],
      json: "document",
    });
    expect((await read(["reset", "--dry-run", "--json=stream"], npm({ json: "true", dry_run: "true" }))).argv).toEqual([
      "reset",
      "--dry-run",
      "--json=stream",
    ]);
  });

  test("a rehearsal that the command does not know is never a real run", async () => {
    expect((await read(["undo"], npm({ dry_run: "true" }))).problem).toMatchObject({ code: "REPLANT_FLAG_SWALLOWED" });
    expect((await read(["migrate", "up"], npm({ dry_run: "true" }))).problem).toMatchObject({
      code: "REPLANT_FLAG_SWALLOWED",
    });
  });

  test.each([
    ["force", "true", "--force"],
    ["yes", "app_dev", "--yes"],
    ["confirm", "true", "--confirm"],
    ["accept_loss", "users", "--accept-loss"],
    ["keep_failed", "true", "--keep-failed"],
    ["set", "mock", "--set"],
    ["only", "x", "--only"],
    ["chain", "true", "--chain"],
  ])("%s is refused, with the line that works", async (name, value, flag) => {
    const { problem } = await read(["reset"], npm({ [name]: value }));
    expect(problem).toMatchObject({ code: "REPLANT_FLAG_SWALLOWED", hint: `npm run db:reset -- ${flag}` });
  });

  test("every flag that changes what a command does is refused or honoured", async () => {
    const quiet = new Set(["debug", "noColor"]);
    for (const name of known.filter((flag) => !quiet.has(flag))) {
      const { argv, problem } = await read(["reset"], npm({ [kebab(name).replaceAll("-", "_")]: "true" }));
      expect(problem !== null || argv.length > 1, name).toBe(true);
    }
  });

  test.each([
    [
      "another package manager forwards them",
      { ...npm({ force: "true" }), npm_config_user_agent: "pnpm/12.21.0 npm/?" },
    ],
    ["under npx they are npx's own", npm({ yes: "true" }, "npx")],
    ["false is no flag", npm({ force: "false" })],
    ["no script is run", { npm_config_user_agent: "npm/11.19.1", npm_config_force: "true" }],
  ])("not when %s", async (_case, env) => {
    expect(await read(["reset"], env)).toMatchObject({ argv: ["reset"], problem: null });
  });
});
