import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNode, tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import type { LoadedConfig } from "../src/index.ts";
import type { Refusal } from "./failure.ts";

const here = dirname(fileURLToPath(import.meta.url));

interface Outcome {
  readonly loaded?: LoadedConfig;
  readonly refusal?: Refusal;
}

async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await tempDir();
  await writeTree(root, files);
  return root;
}

async function load(cwd: string, ...file: string[]): Promise<Outcome> {
  const { stdout, stderr, code } = await runNode(join(here, "fixtures/load.ts"), [cwd, ...file], { cwd: here });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

const body = 'migrations: { tool: "prisma", directory: "m" }';
const plain = `export default { ${body} };\n`;

describe("the file is found", () => {
  test("from anywhere below it, with root and name of the project", async () => {
    const root = await project({
      "replant.config.ts": plain,
      "package.json": '{ "name": "@acme/shop" }',
      "packages/database/package.json": '{ "name": "no" }',
    });
    const file = join(root, "replant.config.ts");
    const { loaded } = await load(join(root, "packages/database"));
    expect(loaded).toMatchObject({ root, file, config: { project: "@acme/shop", migrations: { directory: "m" } } });
    expect((await load(root)).loaded?.file).toBe(file);
  });

  test.each(["not json", "{}", '{ "name": "\\u001b[2J" }'])("a package.json of %j gives no name", async (text) => {
    const root = await project({ "shop/replant.config.mjs": plain, "shop/package.json": text });
    expect((await load(join(root, "shop"))).loaded?.config.project).toBe("shop");
  });

  test("the nearest wins, and .ts before .mts, .js and .mjs", async () => {
    const configured = (name: string): string => `export default { project: "${name}", ${body} };\n`;
    const root = await project({
      "replant.config.ts": configured("far"),
      "a/replant.config.mjs": configured("mjs"),
      "b/replant.config.mjs": configured("mjs"),
      "b/replant.config.js": configured("js"),
      "c/replant.config.js": configured("js"),
      "c/replant.config.mts": configured("mts"),
      "d/replant.config.mts": configured("mts"),
      "d/replant.config.ts": configured("ts"),
      "e/replant.config.ts/file": "",
    });
    const names = await Promise.all(
      ["a", "b", "c", "d", "e"].map(async (name) => (await load(join(root, name))).loaded?.config.project),
    );
    expect(names).toEqual(["mjs", "js", "mts", "ts", "far"]);
  });

  test("a file that was named is taken, whatever it is called, and nothing else", async () => {
    const root = await project({ "config/ci.ts": plain, "config/replant.config.ts": "throw 1" });
    expect((await load(root, "config/ci.ts")).loaded).toMatchObject({ root: join(root, "config") });
    expect((await load(join(root, "config"), "nope.ts")).refusal).toMatchObject({
      code: "REPLANT_CONFIG_NOT_FOUND",
      message: `${join(root, "config/nope.ts")} is not there`,
    });
  });

  test("nowhere: the hint says what to do", async () => {
    const root = await tempDir();
    expect((await load(root)).refusal).toEqual({
      code: "REPLANT_CONFIG_NOT_FOUND",
      message: `no replant.config.ts in ${root} or above`,
      state: "nothing was touched",
      hint: "run the command inside the project, or create replant.config.ts in its root",
    });
  });
});

describe("the file is run", () => {
  test("by Node, with defineConfig from the project's own node_modules", async () => {
    const root = await project({
      "replant.config.ts": `import { defineConfig } from "@replant/config";\nimport type { UserConfig } from "@replant/config";\nconst config: UserConfig = { ${body} };\nexport default defineConfig(config);\n`,
    });
    await mkdir(join(root, "node_modules/@replant"), { recursive: true });
    await symlink(join(here, ".."), join(root, "node_modules/@replant/config"));
    expect((await load(root)).loaded?.config.migrations.directory).toBe("m");
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    [
      "an enum",
      {
        "replant.config.ts":
          'enum Tool { prisma = "prisma" }\nexport default { migrations: { tool: Tool.prisma, directory: "m" } };\n',
      },
    ],
    [
      "a parameter property",
      {
        "replant.config.ts": `class Path { constructor(readonly text: string) {} }\nexport default { migrations: { tool: "prisma", directory: new Path("m").text } };\n`,
      },
    ],
    [
      "an import without extension",
      {
        "replant.config.ts": 'import { migrations } from "./shared";\nexport default { migrations };\n',
        "shared.ts": `export const migrations = { tool: "prisma", directory: "m" };\n`,
      },
    ],
    [
      "an alias of tsconfig",
      {
        "replant.config.ts": 'import { migrations } from "@/shared";\nexport default { migrations };\n',
        "src/shared.ts": `export const migrations = { tool: "prisma", directory: "m" };\n`,
        "tsconfig.json": '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
      },
    ],
    [
      "a type imported like a value",
      {
        "replant.config.ts": `import { Directory } from "./types.ts";\nconst directory: Directory = "m";\nexport default { migrations: { tool: "prisma", directory } };\n`,
        "types.ts": "export type Directory = string;\n",
      },
    ],
    ["module.exports", { "replant.config.js": `module.exports = { ${body} };\n` }],
  ])("with %s", async (_name, files) => {
    expect((await load(await project(files))).loaded?.config.migrations).toEqual({ tool: "prisma", directory: "m" });
  });

  test("a misspelt import that transformed TypeScript lets pass is refused", async () => {
    const root = await project({
      "replant.config.ts": `import { keeep } from "./shared";\nexport default { ${body}, keep: keeep };\n`,
      "shared.ts": "export const keep = { users: true };\n",
    });
    expect((await load(root)).refusal?.items).toEqual(["keep is undefined; give it a value or leave it out"]);
  });
});

describe("a file that fails says where and why", () => {
  test.each<[string, Readonly<Record<string, string>>, { where: string; why: string }]>([
    [
      "a syntax error",
      { "replant.config.ts": `const a = 1;\n\nexport default { ${body}, };;{ , };\n` },
      { where: "replant.config.ts:3", why: "Expression expected" },
    ],
    [
      "a syntax error below an enum",
      { "replant.config.ts": `enum A { a }\n\nexport default { a: A.a,\n b: = };\n` },
      { where: "replant.config.ts:4", why: "Expression expected" },
    ],
    [
      "a runtime error",
      {
        "replant.config.ts": `type A = string;\n\nfunction f(): A {\n  throw new TypeError("boom");\n}\nexport default { a: f() };\n`,
      },
      { where: "replant.config.ts:4", why: "boom" },
    ],
    [
      "a runtime error in transformed TypeScript",
      {
        "replant.config.ts": `enum A { a }\n\nfunction f(): A {\n  throw new TypeError("boom");\n}\nexport default { a: f() };\n`,
      },
      { where: "replant.config.ts:4", why: "boom" },
    ],
    [
      "a runtime error in an imported file",
      { "replant.config.ts": 'import "./a.ts";\nexport default {};\n', "a.ts": '\nthrow new Error("boom");\n' },
      { where: "a.ts:2", why: "boom" },
    ],
    [
      "a package that is not installed",
      { "replant.config.ts": 'const a = 1;\nimport { x } from "not-there";\nexport default { a, x };\n' },
      { where: "replant.config.ts:2", why: "Cannot find module 'not-there'" },
    ],
    [
      "a file that is not there",
      { "replant.config.ts": '\n\nimport { x } from "./nope.ts";\nexport default { x };\n' },
      { where: "replant.config.ts:3", why: "Cannot find module './nope.ts'" },
    ],
    [
      "a file that an imported one wants",
      { "replant.config.ts": 'import "./a.ts";\nexport default {};\n', "a.ts": '\nimport "./nope.ts";\n' },
      { where: "a.ts:2", why: "Cannot find module './nope.ts'" },
    ],
    [
      "something thrown that is no error",
      { "replant.config.ts": 'throw "boom";\nexport default {};\n' },
      { where: "replant.config.ts", why: "boom" },
    ],
    [
      "nothing thrown",
      { "replant.config.ts": "throw undefined;\nexport default {};\n" },
      { where: "replant.config.ts", why: "undefined" },
    ],
  ])("%s", async (_name, files, { where, why }) => {
    const root = await project(files);
    const { refusal } = await load(root);
    expect(refusal).toMatchObject({
      code: "REPLANT_CONFIG_INVALID",
      message: "replant.config.ts cannot be loaded",
      where: join(root, where),
      why,
      state: "nothing was touched",
    });
  });

  test("the hint for a package that is not installed is to add it", async () => {
    const root = await project({ "replant.config.ts": 'import "@acme/not-there";\nexport default {};\n' });
    expect((await load(root)).refusal?.hint).toBe(
      "add @acme/not-there to the dependencies of the project, or correct the import",
    );
  });

  test("credentials and escape codes of its words stay inside", async () => {
    const root = await project({
      "replant.config.mjs": 'throw new Error("no \\u001b[2J postgres://u:s3c/r@t@db/app");\n',
    });
    const { refusal } = await load(root);
    expect(refusal?.why).toBe("no  [2J postgres://***@db/app");
  });

  test("no default export", async () => {
    const root = await project({ "replant.config.ts": `export const config = { ${body} };\n` });
    expect((await load(root)).refusal).toEqual({
      code: "REPLANT_CONFIG_INVALID",
      message: "the configuration has no default export",
      where: join(root, "replant.config.ts"),
      state: "nothing was touched",
      hint: "write: export default defineConfig({ ... })",
    });
  });

  test("errors in what it says name the file, all at once", async () => {
    const root = await project({ "replant.config.ts": "export default { keep: 1, seed: 2 };\n" });
    expect((await load(root)).refusal).toMatchObject({
      message: "replant.config.ts has 3 errors",
      where: join(root, "replant.config.ts"),
      items: ['seed is no known key; did you mean "seeds"?', "migrations is required", "keep must be an object"],
    });
  });
});
