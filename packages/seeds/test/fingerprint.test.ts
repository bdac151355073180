import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Seeder, SeedChoice } from "@replant/core";
import { importModule, nodeFiles } from "@replant/node";
import { tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { dependenciesOf } from "../src/imports.ts";
import { createSeeder, type CommandSeed } from "../src/index.ts";

const all: SeedChoice = { sets: null, only: null };
const api = JSON.stringify(import.meta.resolve("../src/index.ts"));
const seed = (name: string, set = "system"): string =>
  `import { defineSeed } from ${api};\nexport const s = defineSeed({ name: "${name}", set: "${set}", async run() {} });\n`;

function seeder(root: string, commands: readonly CommandSeed[] = []): Seeder {
  return createSeeder({
    root,
    patterns: ["app/seeds/*.ts"],
    sets: ["system"],
    files: nodeFiles(),
    importModule,
    commands,
  });
}

/** A project in which one seed needs files of every kind. */
async function project(): Promise<{ root: string; fingerprint: (choice?: SeedChoice) => Promise<string> }> {
  const root = await tempDir();
  await writeTree(root, {
    "package.json": "{}",
    "backups/latest.json": "{}",
    "app/package.json": `{ "name": "app" }`,
    "app/seeds/a.ts": `import { value } from "../lib/value";\nimport { other } from "@acme/shared";\nimport { installed } from "installed";\n${seed("a")}`,
    "app/seeds/b.ts": seed("b", "mock"),
    "app/seeds/data/rows.csv": "1,2\n",
    "app/seeds/.DS_Store": "",
    "app/lib/value.ts": `export * from "./deep.js";\nexport const value = await import("./lazy.ts");\nconst data = new URL("./data.json", import.meta.url);`,
    "app/lib/deep.ts": "export const deep = 1;",
    "app/lib/lazy.ts": "export const lazy = 1;",
    "app/lib/data.json": "{}",
    "app/lib/unused.ts": "export const unused = 1;",
    "shared/package.json": `{ "name": "@acme/shared", "exports": { ".": { "import": "./index.ts" } } }`,
    "shared/index.ts": "export const other = 1;",
    "node_modules/installed/package.json": `{ "name": "installed", "version": "1.0.0", "exports": { "import": "./i.js" } }`,
    "node_modules/installed/i.js": "export const installed = 1;",
    "node_modules/@acme/.keep": "",
  });
  await symlink(join(root, "shared"), join(root, "node_modules/@acme/shared"));
  return { root, fingerprint: (choice = all) => seeder(root).fingerprint(choice) };
}

describe("the fingerprint of seeds", () => {
  test("changes with everything that a seed consists of, and with nothing else", async () => {
    const { root, fingerprint } = await project();
    const before = await fingerprint();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    const changed = async (path: string, text: string): Promise<boolean> => {
      const file = join(root, path);
      const old = await readFile(file).catch(() => null);
      await writeFile(file, text);
      const differs = (await fingerprint()) !== before;
      await (old === null ? rm(file) : writeFile(file, old));
      return differs;
    };
    const counts = [
      "app/seeds/a.ts",
      "app/seeds/data/rows.csv",
      "app/seeds/data/new.csv",
      "app/lib/value.ts",
      "app/lib/deep.ts",
      "app/lib/lazy.ts",
      "app/lib/data.json",
      "shared/index.ts",
      "node_modules/installed/package.json",
    ];
    const rest = [
      "app/lib/unused.ts",
      "app/package.json",
      "backups/latest.json",
      "app/seeds/.DS_Store",
      "node_modules/installed/i.js",
    ];
    const results: Record<string, boolean> = {};
    for (const path of [...counts, ...rest]) {
      const text = path.endsWith("a.ts")
        ? `${seed("a")}// changed`
        : `{ "version": "2.0.0", "exports": { "import": "./i.js" } }`;
      results[path] = await changed(path, text);
    }
    expect(results).toEqual({
      ...Object.fromEntries(counts.map((path) => [path, true])),
      ...Object.fromEntries(rest.map((path) => [path, false])),
    });
    expect(await fingerprint()).toBe(before);
  });

  test("does not take in the whole project where seeds lie at its root", async () => {
    const root = await tempDir();
    await writeTree(root, { "seed.ts": seed("a"), "backups/latest.json": "1", "lib/x.ts": "1" });
    const fingerprint = (): Promise<string> =>
      createSeeder({ root, patterns: ["seed.ts"], sets: ["system"], files: nodeFiles(), importModule }).fingerprint(
        all,
      );
    const before = await fingerprint();
    await writeFile(join(root, "backups/latest.json"), "2");
    expect(await fingerprint()).toBe(before);
    await writeFile(join(root, "seed.ts"), `${seed("a")}// changed`);
    expect(await fingerprint()).not.toBe(before);
  });

  test("is the same in another place and with other line ends", async () => {
    const [here, there] = [await project(), await project()];
    await writeFile(join(there.root, "app/seeds/data/rows.csv"), "1,2\r\n");
    expect(await there.fingerprint()).toBe(await here.fingerprint());
  });

  test("differs by choice", async () => {
    const { fingerprint } = await project();
    const prints = [
      await fingerprint(),
      await fingerprint({ sets: ["mock"], only: null }),
      await fingerprint({ sets: ["system", "mock"], only: null }),
      await fingerprint({ sets: [], only: null }),
    ];
    expect(new Set(prints).size).toBe(4);
    expect(await fingerprint({ sets: null, only: ["a"] })).toBe(prints[0]);
  });

  test("of a command: its argv and the files of its inputs", async () => {
    const root = await tempDir();
    await writeTree(root, {
      "app/seeds/b.ts": seed("b"),
      "script/run.py": "1",
      "script/data.json": "2",
      "other.txt": "3",
    });
    const command = { name: "c", set: "system", command: ["python3", "script/run.py"], inputs: ["script/**"] };
    const before = await seeder(root, [command]).fingerprint(all);
    expect(await seeder(root).fingerprint(all)).not.toBe(before);
    expect(
      await seeder(root, [{ ...command, command: ["python3", "script/run.py", "--all"] }]).fingerprint(all),
    ).not.toBe(before);
    await writeFile(join(root, "other.txt"), "4");
    expect(await seeder(root, [command]).fingerprint(all)).toBe(before);
    await writeFile(join(root, "script/data.json"), "3");
    expect(await seeder(root, [command]).fingerprint(all)).not.toBe(before);
    await expect(seeder(root, [{ ...command, inputs: ["scirpt/**"] }]).fingerprint(all)).rejects.toMatchObject({
      code: "REPLANT_SEED_INVALID",
      details: { where: "scirpt/**" },
    });
  });
});

describe("dependenciesOf", () => {
  test("SQL and comments are no imports, aliases are, circles end", async () => {
    const root = await tempDir();
    await writeTree(root, {
      "tsconfig.json": `{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } }`,
      "a.ts": [
        `import type { T } from "./types.ts";`,
        `import {`,
        `  b,`,
        `} from './b';`,
        `import "@/effect";`,
        `import fs from "node:fs";`,
        `const sql = \`select * from "users" where id in (select id from './nope')\`;`,
        `const other = require("./c.cjs");`,
        `import "./gone";`,
      ].join("\n"),
      "types.ts": "",
      "b/index.ts": `export { a } from "../a.ts";`,
      "c.cjs": "",
      "lib/effect.ts": "",
      "users.ts": "",
      "nope.ts": "",
    });
    const found = await dependenciesOf([join(root, "a.ts")], nodeFiles());
    expect([...found.files].map((file) => file.slice(root.length + 1)).sort()).toEqual([
      "a.ts",
      "b/index.ts",
      "c.cjs",
      "lib/effect.ts",
      "types.ts",
    ]);
    expect([...found.packages]).toEqual([]);
  });
});
