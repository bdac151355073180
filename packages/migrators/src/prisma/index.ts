export { prismaMigrator, type PrismaMigratorOptions } from "./migrator.ts";
