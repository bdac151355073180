import { join } from "node:path";
import { imageDirectory, runNode, tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import type { Job, Outcome } from "./native.ts";

const api = JSON.stringify(import.meta.resolve("../src/index.ts"));
const define = `import { defineSeed } from ${api};`;
const run = "async run() {}";

/** Writes each project and does the job on all of them in one Node process. */
async function natively(
  method: Job["method"],
  projects: readonly Readonly<Record<string, string>>[],
): Promise<Outcome[]> {
  const jobs: Job[] = [];
  for (const files of projects) {
    const root = await tempDir();
    await writeTree(root, files);
    jobs.push({
      root,
      method,
      patterns: ["seeds/**/*.ts", "more/*.mjs"],
      cache: imageDirectory(),
    });
  }
  const result = await runNode(join(import.meta.dirname, "native.ts"), [JSON.stringify(jobs)], {
    cwd: await tempDir(),
  });
  expect(result).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(result.stdout) as Outcome[];
}

test("seeds are found by path, then by line, with all that they say", async () => {
  const [found] = await natively("list", [
    {
      "seeds/b.ts": `${define}\n\nexport const z = defineSeed({ name: "first", ${run} });\nexport const a = defineSeed({\n name: "second", set: "mock", description: "two", dependsOn: ["js"], ${run} });\n`,
      "seeds/a/deep.ts": `${define}\nexport default defineSeed({ name: "deep", ${run} });`,
      "seeds/c-again.ts": `export { z as other } from "./b.ts";\n${define}\nexport const own = defineSeed({ name: "own", ${run} });`,
      "seeds/types.d.ts": "export interface Nothing {}",
      "seeds/node_modules/x/seed.ts": "this is no program",
      "more/plain.mjs": `${define}\nexport const js = defineSeed({ name: "js", ${run} });`,
    },
  ]);
  const seed = (name: string, where: string): object => ({
    name,
    where,
    set: "system",
    dependsOn: [],
    description: null,
  });
  expect(found).toEqual({
    value: [
      seed("js", "more/plain.mjs:2"),
      seed("deep", "seeds/a/deep.ts:2"),
      seed("first", "seeds/b.ts:3"),
      { name: "second", where: "seeds/b.ts:4", set: "mock", dependsOn: ["js"], description: "two" },
      seed("own", "seeds/c-again.ts:3"),
    ],
  });
});

describe("what Node cannot import by itself", () => {
  const cases: Record<string, Readonly<Record<string, string>>> = {
    "an enum": {
      "seeds/a.ts": `${define}\nenum Role { Admin = "admin" }\nexport const a = defineSeed({ name: Role.Admin, ${run} });`,
    },
    "an import without extension": {
      "seeds/a.ts": `${define}\nimport { name } from "../lib/names";\nexport const a = defineSeed({ name, ${run} });`,
      "lib/names.ts": `export const name = "admin";`,
    },
    "an alias of tsconfig": {
      "seeds/a.ts": `${define}\nimport { name } from "@/names";\nexport const a = defineSeed({ name, ${run} });`,
      "tsconfig.json": `{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } }`,
      "lib/names.ts": `export const name = "admin";`,
    },
    "a type imported like a value": {
      "seeds/a.ts": `${define}\nimport { Name, name } from "../lib/names.ts";\nconst own: Name = name; export const a = defineSeed({ name: own, ${run} });`,
      "lib/names.ts": `export type Name = string; export const name: Name = "admin";`,
    },
    "a decorator": {
      "seeds/a.ts": `${define}\nconst mark = (target: unknown) => target;\n@(mark as never) class Names { name = "admin" } export const a = defineSeed({ name: new Names().name, ${run} });`,
    },
  };

  test("is transformed, and lines stay right", async () => {
    const outcomes = await natively("list", Object.values(cases));
    const names = Object.keys(cases).map((title, index) => [title, outcomes[index]]);
    expect(names).toEqual(
      Object.keys(cases).map((title) => [
        title,
        { value: [expect.objectContaining({ name: "admin", where: "seeds/a.ts:3" })] },
      ]),
    );
  });
});

test("a file that cannot be a seed file is named with the place", async () => {
  const outcomes = await natively("list", [
    { "seeds/a.ts": `${define}\nexport const a = defineSeed({\n  name: "a" name: "b",\n});` },
    { "seeds/a.ts": `import { x } from "./gone.ts";\nexport const a = x;` },
    { "seeds/a.ts": `${define}\n\nthrow new Error("no settings");` },
    { "seeds/a.ts": `${define}\nexport const a = defineSeed({ name: "A", ${run} });` },
    { "seeds/a.ts": `export const run = async () => {};` },
    {
      "seeds/a.ts": `${define}\nexport const a = defineSeed({ name: "a", ${run} });`,
      "seeds/b.ts": `${define}\nexport const b = defineSeed({ name: "a", ${run} });`,
    },
  ]);
  const invalid = (message: string, details: object): object => ({
    code: "REPLANT_SEED_INVALID",
    message,
    details: expect.objectContaining(details),
  });
  const cannot = "a seed file cannot be imported";
  expect(outcomes).toEqual([
    invalid(cannot, { where: "seeds/a.ts:3", why: "Expected ',', got 'ident'" }),
    invalid(cannot, { where: expect.stringMatching(/^seeds\/a\.ts/), why: "Cannot find module './gone.ts'" }),
    invalid(cannot, { where: "seeds/a.ts:3", why: "no settings" }),
    invalid(cannot, { where: "seeds/a.ts:2", items: [expect.stringContaining('name "A"')] }),
    invalid("a seed file exports no seed", { where: "seeds/a.ts" }),
    invalid('two seeds are named "a"', { items: ["seeds/a.ts:2", "seeds/b.ts:2"] }),
  ]);
});

test("a failing seed names the line of its file, in plain Node and transformed", async () => {
  const failing = (body: string): string => `${define}
type Row = { key: string };
export const a = defineSeed({
  name: "a",
  async run({ query, upsert }) {
    await query("create table t (k text primary key, n int)");
    ${body}
  },
});`;
  const outcomes = await natively("run", [
    { "seeds/a.ts": failing(`await query("insert into t values ('x', 'y')");`) },
    { "seeds/a.ts": failing(`await upsert("t", [{ k: "a", m: 1 }], { key: ["k"] });`) },
    { "seeds/a.ts": failing(`await fill(query);`) + `\nasync function fill(query: any) {\n  await query("selec");\n}` },
    { "seeds/a.ts": failing(`enum Odd { A = "x" } await query("selec " + Odd.A);`) },
    {
      "seeds/a.ts": failing(`await fill(query);`) + `\nimport { fill } from "../lib/fill.ts";`,
      "lib/fill.ts": `export const fill = (query: any) =>\n  query("selec");`,
    },
    { "seeds/a.ts": failing(`await upsert("t", [{ k: "a", n: 1 }], { key: ["k"] });`) },
  ]);
  const failed = (where: string, why: string): object => ({
    code: "REPLANT_SEED_FAILED",
    message: 'seed "a" failed',
    details: expect.objectContaining({ where, why: expect.stringContaining(why) }),
  });
  expect(outcomes).toEqual([
    failed("seeds/a.ts:7", "[22P02]"),
    failed("seeds/a.ts:7", 'table "t" has no column "m"'),
    failed("seeds/a.ts:11", "[42601]"),
    failed("seeds/a.ts:7", "[42601]"),
    failed("seeds/a.ts:7", "[42601]"),
    { value: [{ name: "a", set: "system", rows: 1 }] },
  ]);
});
