export { openServer, type ServerOptions } from "./engine.ts";
export { parseServerUrl, redactUrl, type ServerAddress } from "./url.ts";
