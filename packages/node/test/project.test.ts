import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeFiles, projectId } from "../src/index.ts";
import { temporaryDirectory } from "./directory.ts";

const files = nodeFiles();
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("is made once, stays, and many who ask at once get the same", async () => {
  const directory = join(temporaryDirectory(), "state");
  const ids = await Promise.all(Array.from({ length: 20 }, () => projectId({ directory, files })));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(uuid);
  expect(await projectId({ directory, files })).toBe(ids[0]);
  expect(statSync(join(directory, "project.json")).mode & 0o777).toBe(0o600);
  expect(await projectId({ directory: temporaryDirectory(), files })).not.toBe(ids[0]);
});

test.each([
  ["empty", Buffer.alloc(0)],
  ["zeros", Buffer.alloc(47)],
])("a file that a crash left %s gets an id", async (_, bytes) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "project.json"), bytes);
  const id = await projectId({ directory, files });
  expect(id).toMatch(uuid);
  expect(await projectId({ directory, files })).toBe(id);
});

test.each(["{}", '{"id":"x"}', '{"id":"../../etc"}', "nonsense"])(
  "%j is refused and stays as it is",
  async (content) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "project.json"), content);
    await expect(projectId({ directory, files })).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
    expect(readFileSync(join(directory, "project.json"), "utf8")).toBe(content);
  },
);

test("an id that a person put back by hand is read", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "project.json"), '{\n  "id": "0b0e7f0e-96b1-4b53-9f0e-2d8f0d1a2b3c"\n}\n');
  expect(await projectId({ directory, files })).toBe("0b0e7f0e-96b1-4b53-9f0e-2d8f0d1a2b3c");
});
