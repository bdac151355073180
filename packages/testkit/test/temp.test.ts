import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tempDir, writeTree } from "../src/index.ts";

let shared = "";
let ofFirstTest = "";

beforeAll(async () => {
  shared = await tempDir();
});

afterAll(() => {
  expect(existsSync(shared)).toBe(true);
});

test("a tree is written with its directories", async () => {
  ofFirstTest = await tempDir();
  expect(await realpath(ofFirstTest)).toBe(ofFirstTest);
  await writeTree(ofFirstTest, { "a/b/c.sql": "select 1;", d: new Uint8Array([0, 255]) });
  expect(await readFile(join(ofFirstTest, "a/b/c.sql"), "utf8")).toBe("select 1;");
  expect([...(await readFile(join(ofFirstTest, "d")))]).toEqual([0, 255]);
});

test("a directory goes with its test, one made in a hook stays for the whole file", () => {
  expect(existsSync(ofFirstTest)).toBe(false);
  expect(existsSync(shared)).toBe(true);
});
