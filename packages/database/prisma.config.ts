import { fileURLToPath } from "node:url";
import { defineConfig } from "prisma/config";

// Prisma's own engine is a binary from a host of its own. This one is the same engine as WebAssembly, from npm.
process.env["PRISMA_SCHEMA_ENGINE_BINARY"] ??= fileURLToPath(new URL("prisma/engine/shim.ts", import.meta.url));

const url = process.env["DATABASE_URL"];

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  // Only commands that talk to a database need one; `prisma generate` does not.
  ...(url === undefined ? {} : { datasource: { url } }),
});
