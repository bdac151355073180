import { hostname } from "node:os";
import { openServer } from "../../../src/server/index.ts";

/*
 * A process that drives an engine until it is killed: `create <url>` makes candidates for ever, `lock <url> <run>` takes the lock,
 * says so and holds it; `swap <url>` swaps live and previous for ever, behind a fence.
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
if (action === "swap") {
  for (;;) {
    const live = await engine.liveRef();
    const previous = (await engine.managed()).find(
      (found) => found.role === "previous" && found.live === engine.database,
    );
    if (live === null || previous === undefined) throw new Error("there is nothing to swap");
    const fence = await engine.fence(live, [{ schema: "public", name: "t" }]);
    await engine.swap({ candidate: previous, live, fence, run, at: new Date().toISOString() });
    console.log("swapped");
  }
}
setInterval(() => void lock.assertHeld(), 1_000);
