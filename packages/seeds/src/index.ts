export type { CommandSeed } from "./command-seed.ts";
export type { SeedContext, UpsertOptions } from "./context.ts";
export { defineSeed, type Seed, type SeedDefinition } from "./define.ts";
export { createSeeder, type SeederOptions } from "./seeder.ts";
