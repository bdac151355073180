export type { Address } from "./address.ts";
export * from "./define.ts";
export { loadConfig, type LoadedConfig } from "./load.ts";
export { parseConfig } from "./parse.ts";
export {
  type Environment,
  resolveDatabase,
  type ResolvedDatabase,
  type ResolvedVariable,
  resolveVariables,
} from "./resolve.ts";
export type { IdentitySection, ProjectConfig } from "./schema.ts";
export { type EnvironmentSignals, guardSignalsFrom, type ProductionSigns } from "./signals.ts";
