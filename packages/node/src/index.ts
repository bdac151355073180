export * from "./catalogs.ts";
export * from "./clock.ts";
export * from "./files.ts";
export * from "./journal.ts";
export * from "./project.ts";
export { importModule } from "./import-module.ts";
