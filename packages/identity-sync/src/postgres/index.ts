export { prismaModels, schemaSql } from "./schema.ts";
export { openIdentityStore } from "./store.ts";
export type { IdentityStoreOptions, PostgresIdentityStore } from "./store.ts";
