import type { Clock } from "@replant/core";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

/**
 * The clock of this machine. Run ids of one clock always rise, also when the machine's time is set back or two are asked
 * for in one millisecond; between processes the random end tells them apart.
 */
export function systemClock(): Clock {
  let last = 0;
  return {
    now: () => Date.now(),
    runId: () => {
      last = Math.max(Date.now(), last + 1);
      return `${new Date(last).toISOString().replaceAll(/[-:.]/g, "")}-${randomBytes(2).toString("hex")}`;
    },
    pid: process.pid,
    host: hostname(),
  };
}
