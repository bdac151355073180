import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const prismaDirectory = fileURLToPath(new URL("../prisma", import.meta.url));

/** One migration of the history: its folder's name and its script. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** All migrations in the order of application. */
export function history(): Migration[] {
  const folder = join(prismaDirectory, "migrations");
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, sql: readFileSync(join(folder, name, "migration.sql"), "utf8") }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
