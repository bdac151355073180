import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { keptCounts, migrations, prismaSchema, seedSql } from "./database.ts";
import { repository } from "./paths.ts";

/**
 * Writes the project of the bench, the same each time, as a Prisma project that also has a replant.config.ts.
 * What an earlier bench left there goes, Replant's state and backups too.
 * @param seeds where `@replant/seeds` comes from: this repository's sources, or what is installed above the directory
 */
export async function writeProject(directory: string, seeds: "source" | "installed"): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  const migrationFiles = migrations().map(({ name, sql }) => [`prisma/migrations/${name}/migration.sql`, sql]);
  const files: Readonly<Record<string, string>> = {
    ...Object.fromEntries(migrationFiles),
    "package.json": '{ "name": "bench", "private": true, "type": "module" }\n',
    "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
    "prisma/schema.prisma": schema(),
    "prisma.config.ts": prismaConfig,
    "replant.config.ts": replantConfig(),
    "seed.sql": seedSql(),
    "seed.mjs": prismaSeed,
    "seeds/catalogue.ts": replantSeed,
  };
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  if (seeds === "source") {
    await mkdir(join(directory, "node_modules/@replant"), { recursive: true });
    await symlink(join(repository, "packages/seeds"), join(directory, "node_modules/@replant/seeds"), "junction");
  }
}

const schema = (): string => `generator client {
  provider   = "prisma-client-js"
  engineType = "client"
}

datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

${prismaSchema()}
`;

/** Prisma 6 without its binary. Each oddity makes it work at all, or faster than it would be by itself. */
const prismaConfig = `import { PrismaPg } from "@prisma/adapter-pg";
import { defineConfig } from "prisma/config";

// The engine sets a timer of ten seconds and forgets it, and the process would wait for it at the end.
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = Object.assign((work, ms, ...rest) => {
  const timer = setTimer(work, ms, ...rest);
  return ms === 10_000 ? timer.unref() : timer;
}, setTimer);

// The engine asks for catalogue types ("char", name and their arrays) that the adapter cannot read.
const asText = { 18: 25, 19: 25, 1002: 1009, 1003: 1009 };

class Adapter extends PrismaPg {
  async connect() {
    const adapter = await super.connect();
    const performIO = adapter.performIO.bind(adapter);
    adapter.performIO = async (query) => {
      const result = await performIO(query);
      for (const field of result.fields) field.dataTypeID = asText[field.dataTypeID] ?? field.dataTypeID;
      return result;
    };
    return adapter;
  }
}

export default defineConfig({
  experimental: { adapter: true },
  engine: "js",
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations", seed: "node seed.mjs" },
  adapter: async () => new Adapter({ connectionString: process.env.DATABASE_URL, allowExitOnIdle: true }),
});
`;

const prismaSeed = `import { readFileSync } from "node:fs";
import pg from "pg";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query(readFileSync(new URL("seed.sql", import.meta.url), "utf8"));
await client.end();
`;

const replantSeed = `import { readFileSync } from "node:fs";
import { defineSeed } from "@replant/seeds";

const sql = readFileSync(new URL("../seed.sql", import.meta.url), "utf8");

export const seed = defineSeed({
  name: "catalogue",
  async run({ query }) {
    for (const statement of sql.split(";\\n\\n")) await query(statement);
  },
});
`;

const replantConfig = (): string => `export default {
  project: "bench",
  migrations: { tool: "prisma", directory: "prisma/migrations" },
  seeds: { files: ["seeds/*.ts"] },
  keep: ${JSON.stringify(Object.fromEntries(Object.keys(keptCounts).map((table) => [table, true])))},
};
`;
