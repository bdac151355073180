export { openEmbedded, type EmbeddedOptions } from "./engine.ts";
export { preferQuickStart } from "./pglite.ts";
export { serveEmbedded, type ServeEvent, type ServeOptions, type Serving } from "./serve.ts";
