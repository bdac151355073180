#!/usr/bin/env node
import { writeSync } from "node:fs";
import module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { EndSignal } from "./exit.ts";

// Half of the start-up is compiling; node keeps the result here. A cache that cannot be used is no reason to fail.
module.enableCompileCache(join(process.env["XDG_CACHE_HOME"] || tmpdir(), "replant"));

let over = false;
let interruptedBy: EndSignal | null = null;
const controller = new AbortController();

for (const [name, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(name, () => {
    // The second time the person means now: nothing of live is open to harm, the next command cleans up.
    if (interruptedBy !== null) {
      over = true;
      process.exit(code);
    }
    interruptedBy = name;
    controller.abort();
  });
}

// Who reads our output may go away; the run does not depend on them.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

// A seed that calls process.exit(0) must not look like a run that ended well.
process.exitCode = 1;
process.on("exit", (code) => {
  if (over) return;
  if (code === 0) process.exitCode = 1;
  try {
    writeSync(
      2,
      "replant: the process was ended from within before the run was over (process.exit in a seed or the configuration?)\n",
    );
    writeSync(2, "  state   live was not changed by what was unfinished; the next command cleans up\n");
  } catch {
    // Nobody reads any more.
  }
});

const { main } = await import("./main.ts");
const exit = await main(process.argv.slice(2), {
  interruption: { signal: controller.signal, by: () => interruptedBy },
});
over = true;
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
);
// Connections that a seed left open would keep the process alive.
process.exit(exit);
