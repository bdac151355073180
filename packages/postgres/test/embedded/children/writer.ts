// Writes rows to live for ever and prints each id once it is committed.
import { hostname } from "node:os";
import { nodeFiles } from "@replant/node";
import { openEmbedded, preferQuickStart } from "../../../src/embedded/index.ts";

await preferQuickStart();
const [directory = "", cacheDirectory = ""] = process.argv.slice(2);
const engine = openEmbedded({ directory, name: "app", files: nodeFiles(), cacheDirectory });
await engine.lock({
  run: "writer",
  command: "write",
  pid: process.pid,
  host: hostname(),
  since: new Date().toISOString(),
});
const live = await engine.liveRef();
if (live === null) throw new Error("no live database");
const session = await engine.connect(live);
for (let id = 1000; ; id += 1) {
  await session.query("insert into t values ($1, repeat('x', 2000))", [id]);
  process.stdout.write(`${id}\n`);
}
