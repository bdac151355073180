// Waits for the lock of a directory, says so, and never gives it back.
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isReplantError } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { lockDirectory } from "../../../src/embedded/lock.ts";

const [directory = "", run = ""] = process.argv.slice(2);
const holder = {
  run,
  command: "contend",
  pid: process.pid,
  host: hostname(),
  since: new Date().toISOString(),
  socket: null,
  port: null,
};
for (;;) {
  try {
    await lockDirectory({ directory, files: nodeFiles(), holder, handOver: false });
    break;
  } catch (error) {
    if (!isReplantError(error) || error.code !== "REPLANT_LOCKED") throw error;
    await sleep(10);
  }
}
process.stdout.write("held\n");
await sleep(3_600_000);
