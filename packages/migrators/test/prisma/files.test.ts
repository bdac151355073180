import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { nodeFiles } from "@replant/node";
import { tempDir } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { prismaMigrator } from "../../src/prisma/index.ts";
import { failureOf, project } from "./project.ts";

const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

describe("prismaMigrator.files", () => {
  test("folders by name, checksums over the raw bytes, paths from the root", async () => {
    const { migrator } = await project({ "20240202_b": "select 2;\n", "20240101_a": "\uFEFFselect 1;\r\n" });
    expect(await migrator.files()).toEqual([
      {
        name: "20240101_a",
        path: "prisma/migrations/20240101_a/migration.sql",
        checksum: sha256("\uFEFFselect 1;\r\n"),
        equivalentChecksums: [sha256("\uFEFFselect 1;\n"), sha256("\uFEFFselect 1;\r\r\n")],
      },
      {
        name: "20240202_b",
        path: "prisma/migrations/20240202_b/migration.sql",
        checksum: sha256("select 2;\n"),
        equivalentChecksums: [sha256("select 2;\r\n")],
      },
    ]);
  });

  test("an empty directory has no migrations", async () => {
    const { migrator } = await project({});
    expect(await migrator.files()).toEqual([]);
  });

  test("a directory that does not exist", async () => {
    const root = await tempDir();
    const migrator = prismaMigrator({ root, directory: join(root, "prisma/migrations"), files: nodeFiles() });
    await expect(migrator.files()).rejects.toMatchObject({
      code: "REPLANT_MIGRATION_INVALID",
      message: "the migrations directory does not exist",
      details: { where: "prisma/migrations" },
    });
  });

  test("a folder without its file", async () => {
    const { migrator, directory } = await project({ "20240101_a": "" });
    await mkdir(join(directory, "20240202_b"));
    await expect(migrator.files()).rejects.toMatchObject({
      code: "REPLANT_MIGRATION_INVALID",
      message: 'migration "20240202_b" has no migration.sql',
      details: { where: "prisma/migrations/20240202_b" },
    });
  });

  test("a file that is not UTF-8, as PowerShell writes it", async () => {
    const { migrator } = await project({ "20240101_a": Buffer.from("\uFEFFselect 1;", "utf16le") });
    expect(await failureOf(migrator.files())).toMatchObject({
      code: "REPLANT_MIGRATION_INVALID",
      details: { where: "prisma/migrations/20240101_a/migration.sql" },
    });
  });
});
