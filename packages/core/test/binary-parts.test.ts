import type { BackupManifest } from "../src/index.ts";
import { expect, test } from "vitest";
import { assertBinaryFits, planCarry } from "../src/index.ts";
import { catalog, table } from "./catalog-builder.ts";

const files = table("files", ["id int!", "body bytea"], ["id"]);

function manifest(copy: "text" | "binary", version: string): BackupManifest {
  const entry = {
    id: "t0001",
    role: "kept",
    table: files,
    columns: ["id", "body"],
    copy,
    rows: 2,
    digest: "1",
    sizeBytes: 1,
    storedBytes: 1,
    sha256: "",
  };
  return { id: "x", server: { version, encoding: "UTF8" }, entries: [entry] } as unknown as BackupManifest;
}

test("binary rows are for servers of their own major version, text is for all", () => {
  assertBinaryFits(manifest("binary", "15.18"), 15);
  assertBinaryFits(manifest("binary", "15.18 (Debian 15.18-1)"), 15);
  assertBinaryFits(manifest("text", "15.18"), 18);
  expect(() => assertBinaryFits(manifest("binary", "15.18"), 18)).toThrow(
    expect.objectContaining({ code: "REPLANT_BACKUP_BINARY", details: expect.objectContaining({ items: ["files"] }) }),
  );
});

test.each([
  ["a changed type", table("files", ["id int!", "body text"], ["id"]), "body"],
  ["a column that is gone", table("files", ["id int!"], ["id"]), "body"],
])("%s makes a table of binary rows impossible, and one of text not", (_, changed, column) => {
  const plan = (copy: "text" | "binary") => planCarry(manifest(copy, "15.18").entries, catalog(changed), {});
  expect(plan("text").impossible).toEqual([]);
  expect(plan("binary").impossible).toMatchObject([{ rows: 2, reason: expect.stringContaining(`"${column}" is not`) }]);
  expect(planCarry(manifest("binary", "15.18").entries, catalog(files), {}).tables).toMatchObject([{ copy: "binary" }]);
});
