// Serves a database for ever; prints the port.
import { nodeFiles } from "@replant/node";
import { serveEmbedded } from "../../../src/embedded/index.ts";

const [directory = "", cacheDirectory = ""] = process.argv.slice(2);
const options = { directory, cacheDirectory, name: "app", files: nodeFiles(), run: "serve-run" };
const serving = await serveEmbedded({ ...options, port: 0, onEvent: () => undefined });
process.stdout.write(`${serving.port}\n`);
