import type { Catalog } from "@replant/core";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeFiles, openCatalogs } from "../src/index.ts";
import { temporaryDirectory } from "./directory.ts";

const files = nodeFiles();
const fingerprint = "9f3c1a2b".repeat(8);
const catalog: Catalog = {
  tables: [{ schema: "public", name: "users", columns: [], keys: [], foreignKeys: [], rowEstimate: -1 }],
};

test("gives back the catalog of a fingerprint, to its owner alone, and nothing for others", async () => {
  const directory = temporaryDirectory();
  const catalogs = openCatalogs({ directory, files });
  expect(await catalogs.readCatalog(fingerprint)).toBeNull();
  await catalogs.writeCatalog(fingerprint, catalog);
  expect(await openCatalogs({ directory, files }).readCatalog(fingerprint)).toEqual(catalog);
  expect(await catalogs.readCatalog("0".repeat(64))).toBeNull();
  expect(statSync(join(directory, "baselines", `${fingerprint}.json`)).mode & 0o777).toBe(0o600);
});

test("a file that was cut, edited or written by another version counts as absent", async () => {
  const directory = temporaryDirectory();
  const catalogs = openCatalogs({ directory, files });
  await catalogs.writeCatalog(fingerprint, catalog);
  const path = join(directory, "baselines", `${fingerprint}.json`);
  const text = readFileSync(path, "utf8");
  for (const damaged of [
    "",
    "null",
    "[]",
    text.slice(0, -10),
    text.replace("users", "admins"),
    text.replace('"version":1', '"version":2'),
  ]) {
    writeFileSync(path, damaged);
    expect(await catalogs.readCatalog(fingerprint)).toBeNull();
  }
  writeFileSync(path, text);
  expect(await catalogs.readCatalog(fingerprint)).toEqual(catalog);
});

test("a fingerprint that is no fingerprint cannot name a file elsewhere", async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "baselines"));
  writeFileSync(join(directory, "project.json"), "{}");
  const catalogs = openCatalogs({ directory, files });
  for (const wrong of ["../project", "", "ABCDEF0123", "9f3c1a2b/../../x", "9f3c1a2b\n"]) {
    await expect(catalogs.readCatalog(wrong)).rejects.toThrow("is no fingerprint");
    await expect(catalogs.writeCatalog(wrong, catalog)).rejects.toThrow("is no fingerprint");
  }
  expect(readFileSync(join(directory, "project.json"), "utf8")).toBe("{}");
});
