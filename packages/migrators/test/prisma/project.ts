import { join } from "node:path";
import type { Migrator } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { tempDir, writeTree } from "@replant/testkit";
import { prismaMigrator } from "../../src/prisma/index.ts";

/** A project on disk with these migrations, by folder name, and its migrator. */
export async function project(
  migrations: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ root: string; directory: string; migrator: Migrator }> {
  const root = await tempDir();
  const directory = join(root, "prisma", "migrations");
  const files = Object.entries(migrations).map(([name, sql]) => [`${name}/migration.sql`, sql] as const);
  await writeTree(directory, { "migration_lock.toml": 'provider = "postgresql"\n', ...Object.fromEntries(files) });
  return { root, directory, migrator: prismaMigrator({ directory, root, files: nodeFiles() }) };
}

/** The error that a promise ends with; fails when it ends well. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("expected a failure");
    },
    (error: unknown) => error,
  );
}
