import type { Files, MigrationFile } from "@replant/core";
import { ReplantError } from "@replant/core";
import { createHash } from "node:crypto";
import { basename, dirname, join, relative, sep } from "node:path";
import type { PrismaMigratorOptions } from "./migrator.ts";

/** A migration with its SQL, a byte order mark removed. */
export interface Script {
  readonly file: MigrationFile;
  readonly text: string;
}

/** The locale is fixed: Prisma sorts by that of the machine, and the order must not depend on it. */
const byName = new Intl.Collator("en").compare;

/**
 * Every folder of the migrations directory with its `migration.sql`, in the order of application. The checksum is Prisma's:
 * sha256 (hex) of the raw bytes; it takes the same text with other line ends for the same file.
 * @throws ReplantError REPLANT_MIGRATION_INVALID
 */
export async function readMigrationFiles({ directory, root, files }: PrismaMigratorOptions): Promise<Script[]> {
  const entries = await files.list(directory);
  if (entries.length === 0) await refuseAbsent(directory, { root, files });
  const folders = entries.filter((entry) => entry.kind === "directory").map((entry) => entry.name);
  const scripts: Script[] = [];
  for (const name of folders.sort(byName)) {
    const file = join(directory, name, "migration.sql");
    const path = shown(root, file);
    const bytes = await files.read(file);
    if (bytes === null) {
      throw new ReplantError("REPLANT_MIGRATION_INVALID", `migration "${name}" has no migration.sql`, {
        where: shown(root, dirname(file)),
        hint: "restore the file from version control, or remove the folder",
      });
    }
    const text = decode(bytes, path);
    scripts.push({
      file: { name, path, checksum: sha256(bytes), equivalentChecksums: otherLineEnds(bytes) },
      text,
    });
  }
  return scripts;
}

async function refuseAbsent(directory: string, { root, files }: { root: string; files: Files }): Promise<void> {
  const siblings = await files.list(dirname(directory));
  if (siblings.some((entry) => entry.name === basename(directory))) return;
  throw new ReplantError("REPLANT_MIGRATION_INVALID", "the migrations directory does not exist", {
    where: shown(root, directory),
    hint: "create the first migration with prisma migrate dev, or correct the path in the configuration",
  });
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ReplantError("REPLANT_MIGRATION_INVALID", "a migration is not UTF-8 text", {
      where: path,
      hint: "save the file as UTF-8",
      cause,
    });
  }
}

function otherLineEnds(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString("latin1");
  return [text.replaceAll("\r\n", "\n"), text.replaceAll("\n", "\r\n")]
    .filter((variant) => variant !== text)
    .map((variant) => sha256(Buffer.from(variant, "latin1")));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function shown(root: string, path: string): string {
  return relative(root, path).replaceAll(sep, "/");
}
