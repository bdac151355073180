/*
 * `pnpm demo`, in two acts: rows that every rebuild loses, and a reset that keeps them; then an app and Clerk, which go on while
 * their database is reset. Real commands on the embedded engine, in temporary directories that are removed at the end (`--keep`
 * leaves them), and no address but 127.0.0.1. Exits with 1 when a single row is missing or different.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { playClerk } from "./lib/demo/clerk-act.ts";
import { playRows } from "./lib/demo/rows-act.ts";
import { Stage } from "./lib/demo/stage.ts";
import { type DemoWorkspace, makeDemoWorkspace, type WorkspaceOptions } from "./lib/demo/workspace.ts";

const { values: flags } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
const startedAt = performance.now();
const stage = new Stage();

try {
  const workspace = await makeWorkspace();
  stage.say(
    "Replant demo, first act: 39 rows and one reset",
    "",
    `A project with ${workspace.migrations} migrations and ${workspace.seeds} seeds, and an embedded Postgres. No server, no account, no address.`,
    `It lives in ${workspace.directory}${flags.keep ? "" : ", which is removed at the end"}.`,
  );
  await playRows(stage, workspace);
  stage.say("Second act: Clerk and an app, which go on while their database is reset");
  await playClerk(stage, makeWorkspace);
} catch (error) {
  if (!stage.interrupted) {
    stage.check(false, error instanceof Error ? error.message : String(error));
  }
} finally {
  await stage.clear();
}

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
if (!stage.interrupted) {
  stage.say(
    stage.failures === 0
      ? `Nothing was lost, in ${seconds}s.  Try it on this repository: pnpm db:reset`
      : `${stage.failures} of these checks failed: that is a bug in Replant, please report it.`,
  );
}
process.exitCode = stage.interrupted ? 130 : stage.failures === 0 ? 0 : 1;

async function makeWorkspace(options?: WorkspaceOptions): Promise<DemoWorkspace> {
  const workspace = await makeDemoWorkspace(options);
  if (!flags.keep) {
    process.on("exit", () => rmSync(workspace.directory, { recursive: true, force: true, maxRetries: 5 }));
  }
  return workspace;
}
