#!/usr/bin/env node
// What the Prisma CLI starts in place of its schema engine binary: the same engine from npm, as WebAssembly, on `pg`.
import { parseArgs } from "node:util";
import { runCommand } from "./commands.ts";
import { engineVersion } from "./engine.ts";
import { serve } from "./rpc.ts";

/** What the CLI passes; without a database (`migrate diff` between files) there is nothing to pass. */
interface Datasource {
  readonly url?: string;
  readonly shadowDatabaseUrl?: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  // Flags of the binary that this engine has no use for are taken and ignored.
  strict: false,
  options: {
    datamodels: { type: "string", multiple: true },
    datasource: { type: "string" },
    version: { type: "boolean" },
    "enabled-preview-features": { type: "string" },
    "extension-types": { type: "string" },
  },
});

const { url = "", shadowDatabaseUrl } = JSON.parse(
  typeof values.datasource === "string" ? values.datasource : "{}",
) as Datasource;

if (values.version === true) {
  process.stdout.write(`schema-engine-cli ${engineVersion()}\n`);
} else if (positionals[0] === "cli") {
  process.exitCode = await runCommand(positionals[1] ?? "", url);
} else {
  const schemaFiles = (values.datamodels ?? []).filter((file) => typeof file === "string");
  await serve(schemaFiles, { url, shadowUrl: shadowDatabaseUrl });
  // The engine leaves timers of many seconds behind, for which the CLI would wait.
  // oxlint-disable-next-line unicorn/no-process-exit
  process.exit();
}
