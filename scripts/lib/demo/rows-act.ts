import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { textTable } from "../text-table.ts";
import { compare, keptTables, type Snapshot, takeSnapshot } from "./rows.ts";
import type { Stage } from "./stage.ts";
import type { DemoWorkspace } from "./workspace.ts";

const samples = join(import.meta.dirname, "../../../packages/database/samples/synced-rows.sql");

interface Snapshots {
  readonly before: Snapshot;
  /** What migrations and seeds alone make. */
  readonly rebuilt: Snapshot;
  readonly after: Snapshot;
}

/** The first act: rows that every rebuild loses, and a reset that keeps them. */
export async function playRows(stage: Stage, workspace: DemoWorkspace): Promise<void> {
  await stage.command(workspace, ["reset"]);
  const rebuilt = await workspace.onLive(takeSnapshot);

  stage.say(
    "A week of work later, users and organizations have come in from Clerk, which sends them only once; other rows hang on",
    "them, and one user has been deleted. (Here they come from packages/database/samples/synced-rows.sql.)",
  );
  const before = await workspace.onLive(async (session) => {
    await session.script(await readFile(samples, "utf8"));
    return takeSnapshot(session);
  });
  stage.say(`  ${before.kept.length} rows in ${keptTables.length} tables, and ${before.deletedUsers} deleted user.`);

  stage.say(
    "Now everything is built anew, without the cached baseline: every seed runs again and gives its rows new ids.",
  );
  await stage.command(workspace, ["clean", "--all"]);
  await stage.command(workspace, ["reset"]);
  const snapshots = { before, rebuilt, after: await workspace.onLive(takeSnapshot) };

  stage.say(...table(snapshots), "");
  checkReset(stage, snapshots);

  stage.say("And if that was not what you wanted:");
  await stage.command(workspace, ["undo"]);
  console.log();
  checkUndo(stage, before, await workspace.onLive(takeSnapshot));
}

/** What tools that drop first leave behind is what the very first reset made: migrations and seeds, nothing else. */
function table({ before, rebuilt, after }: Snapshots): string[] {
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

function checkReset(stage: Stage, { before, after }: Snapshots): void {
  const { found, equal, sameTime, references, sameServer, after: left } = compare(before, after);
  const renewed = [...before.servers].filter(([key, id]) => after.servers.has(key) && after.servers.get(key) !== id);
  stage.check(
    found === 39 && equal === 39 && sameTime === 39 && left === 39,
    `${equal} of 39 rows are there under their ids, equal in every column (${before.kept[0]?.createdAt})`,
  );
  stage.check(
    sameServer === 11 && references === 11 && renewed.length === 6 && before.servers.size === 6,
    `${sameServer} of 11 references lead to the right server by server_key, although ${renewed.length} of 6 servers have a new id`,
  );
  stage.check(
    before.deletedUsers === 1 && after.deletedUsers === 0,
    "the deleted user is gone: no keep rule selects it",
  );
}

function checkUndo(stage: Stage, before: Snapshot, undone: Snapshot): void {
  const { equal } = compare(before, undone);
  const sameIds = [...before.servers].every(([key, id]) => undone.servers.get(key) === id);
  stage.check(
    equal === 39 && undone.deletedUsers === 1 && sameIds,
    `the database of before is live again: ${equal} of 39 rows, the deleted user, the old ids`,
  );
}
