export { connectTo, type ServerSession } from "./connect.ts";
export { openServer, type ServerOptions } from "./engine.ts";
export { lastSwapAt } from "./last-swap.ts";
export { parseServerUrl, redactUrl, type ServerAddress } from "./url.ts";
