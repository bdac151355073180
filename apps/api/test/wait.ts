import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until it is so; the test's own limit ends it. */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20);
}
