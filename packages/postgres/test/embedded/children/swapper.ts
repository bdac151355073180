// Builds candidates and swaps them in, for ever; prints the text of each live database once its swap is done.
import { hostname } from "node:os";
import { nodeFiles } from "@replant/node";
import { openEmbedded, preferQuickStart } from "../../../src/embedded/index.ts";

await preferQuickStart();
const [directory = "", cacheDirectory = "", run = ""] = process.argv.slice(2);
const engine = openEmbedded({ directory, name: "app", files: nodeFiles(), cacheDirectory });
await engine.lock({ run, command: "reset", pid: process.pid, host: hostname(), since: new Date().toISOString() });
for (let round = 0; ; round += 1) {
  const createdAt = new Date().toISOString();
  const candidate = await engine.create({ role: "candidate", run, fingerprint: null, createdAt });
  const session = await engine.connect(candidate);
  await session.script("create table t (id int primary key, x text)");
  await session.query("insert into t select i, $1 from generate_series(1, 500) i", [`${run} ${round}`]);
  await session.close();
  const { previous } = await engine.swap({ candidate, live: await engine.liveRef(), fence: null, run, at: createdAt });
  process.stdout.write(`${run} ${round}\n`);
  if (previous !== null) await engine.drop(previous);
}
