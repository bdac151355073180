import { hostname } from "node:os";
import { openServer } from "../../../src/server/index.ts";

/*
 * A process that drives an engine until it is killed: `create <url>` makes candidates for ever, `lock <url> <run>` takes the lock,
 * says so and holds it.
 */
const [, , action, url = "", run = "child"] = process.argv;
const engine = openServer({ url });
const lock = await engine.lock({
  run,
  command: "reset",
  pid: process.pid,
  host: hostname(),
  since: new Date().toISOString(),
});
console.log("locked");
if (action === "create") {
  for (let n = 0; ; n += 1) {
    const database = {
      role: "candidate",
      run: `${run}-${n}`,
      fingerprint: null,
      createdAt: new Date().toISOString(),
    } as const;
    await engine.drop(await engine.create(database));
  }
}
setInterval(() => void lock.assertHeld(), 1_000);
