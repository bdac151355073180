export { openEmbedded, type EmbeddedOptions } from "./engine.ts";
export { preferQuickStart } from "./pglite.ts";
