/*
 * `pnpm demo`: rows that every rebuild loses, and a reset that keeps them. Real commands on the embedded engine, in a temporary
 * directory that is removed at the end (`--keep` leaves it). Exits with 1 when a single row is missing or different.
 */
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { compare, keptTables, type Snapshot, takeSnapshot } from "./lib/demo/rows.ts";
import { makeDemoWorkspace } from "./lib/demo/workspace.ts";
import { textTable } from "./lib/text-table.ts";

const { values: flags } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
const samples = join(import.meta.dirname, "../packages/database/samples/synced-rows.sql");
const startedAt = performance.now();
let failures = 0;
let interrupted = false;

const workspace = await makeDemoWorkspace();
if (!flags.keep) process.on("exit", () => rmSync(workspace.directory, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => (interrupted = true));

say(
  "Replant demo: 39 rows and one reset",
  "",
  `A project with ${workspace.migrations} migrations and ${workspace.seeds} seeds, and an embedded Postgres. No server, no account, no address.`,
  `It lives in ${workspace.directory}${flags.keep ? "" : ", which is removed at the end"}.`,
);
await command("reset");
const rebuilt = await workspace.onLive(takeSnapshot);

say(
  "A week of work later, users and organizations have come in from Clerk, which sends them only once; other rows hang on",
  "them, and one user has been deleted. (Here they come from packages/database/samples/synced-rows.sql.)",
);
const before = await workspace.onLive(async (session) => {
  await session.script(await readFile(samples, "utf8"));
  return takeSnapshot(session);
});
say(`  ${before.kept.length} rows in ${keptTables.length} tables, and ${before.deletedUsers} deleted user.`);

say("Now everything is built anew, without the cached baseline: every seed runs again and gives its rows new ids.");
await command("clean", "--all");
await command("reset");
const after = await workspace.onLive(takeSnapshot);

say(...table(before, after), "");
checkReset(before, after);

say("And if that was not what you wanted:");
await command("undo");
console.log();
checkUndo(before, await workspace.onLive(takeSnapshot));

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
say(
  failures === 0
    ? `Nothing was lost, in ${seconds}s.  Try it on this repository: pnpm db:reset`
    : `${failures} of these checks failed: that is a bug in Replant, please report it.`,
);
process.exitCode = failures === 0 ? 0 : 1;

/** What tools that drop first leave behind is what the very first reset made: migrations and seeds, nothing else. */
function table(before: Snapshot, after: Snapshot): string[] {
  const rowOf = (name: string, only?: string): string[] => {
    const { before: rows, after: left, sameTime, references, sameServer } = compare(before, after, only);
    const server = references === 0 ? "" : `${sameServer} of ${references}`;
    return [name, ...[rows, compare(before, rebuilt, only).after, left].map(String), `${sameTime} of ${rows}`, server];
  };
  return textTable([
    ["", "", "after drop,", "after", "same to the", "on the"],
    ["rows", "before", "migrate, seed", "replant reset", "microsecond", "right server"],
    null,
    ...keptTables.map((name) => rowOf(name, name)),
    null,
    rowOf("together"),
  ]);
}

function checkReset(before: Snapshot, after: Snapshot): void {
  const { found, equal, sameTime, references, sameServer, after: left } = compare(before, after);
  const renewed = [...before.servers].filter(([key, id]) => after.servers.has(key) && after.servers.get(key) !== id);
  check(
    found === 39 && equal === 39 && sameTime === 39 && left === 39,
    `${equal} of 39 rows are there under their ids, equal in every column (${before.kept[0]?.createdAt})`,
  );
  check(
    sameServer === 11 && references === 11 && renewed.length === 6 && before.servers.size === 6,
    `${sameServer} of 11 references lead to the right server by server_key, although ${renewed.length} of 6 servers have a new id`,
  );
  check(before.deletedUsers === 1 && after.deletedUsers === 0, "the deleted user is gone: no keep rule selects it");
}

function checkUndo(before: Snapshot, undone: Snapshot): void {
  const { equal } = compare(before, undone);
  const sameIds = [...before.servers].every(([key, id]) => undone.servers.get(key) === id);
  check(
    equal === 39 && undone.deletedUsers === 1 && sameIds,
    `the database of before is live again: ${equal} of 39 rows, the deleted user, the old ids`,
  );
}

async function command(...args: string[]): Promise<void> {
  stopIfInterrupted();
  say(styleText("bold", `$ replant ${args.join(" ")}`, { stream: process.stdout }));
  const code = await workspace.replant(args);
  stopIfInterrupted();
  if (code === 0) return;
  say(`replant ${args[0]} ended with ${code}: the demo cannot go on.`);
  process.exit(1);
}

/** The command under way has been interrupted too and cleans up first. */
function stopIfInterrupted(): void {
  if (interrupted) process.exit(130);
}

function check(holds: boolean, text: string): void {
  if (!holds) failures += 1;
  const mark = holds
    ? styleText("green", "[ok]", { stream: process.stdout })
    : styleText("red", "[!!]", { stream: process.stdout });
  console.log(`  ${mark} ${text}`);
}

/** A paragraph. */
function say(...lines: string[]): void {
  console.log(`\n${lines.join("\n")}`);
}
