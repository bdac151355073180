export { parseServerUrl, redactUrl, type ServerAddress } from "./url.ts";
