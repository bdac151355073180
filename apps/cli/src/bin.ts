import { writeSync } from "node:fs";
import process from "node:process";
import type { EndSignal } from "./exit.ts";
import { exitOfSignal } from "./exit.ts";
import { main } from "./main.ts";

let over = false;
let interruptedBy: EndSignal | null = null;
const controller = new AbortController();

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The second time the person means now: nothing of live is open to harm, the next command cleans up.
    if (interruptedBy !== null) {
      over = true;
      process.exit(exitOfSignal[name]);
    }
    interruptedBy = name;
    controller.abort();
  });
}

// A seed that calls process.exit(0), or one that waits for nothing, must not look like a run that ended well.
process.on("exit", (code) => {
  if (over) return;
  process.exitCode = code === 0 ? 1 : code;
  try {
    writeSync(2, "replant: the process ended before the run was over (does a seed or the configuration end it?)\n");
    writeSync(2, "  state   live was not changed by what was unfinished; the next command cleans up\n");
  } catch {
    // Nobody reads any more.
  }
});

const exit = await main(process.argv.slice(2), {
  interruption: { signal: controller.signal, by: () => interruptedBy },
});
over = true;
// Connections that a seed left open would keep the process alive.
process.exit(exit);
