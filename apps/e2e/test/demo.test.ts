import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { killGroup, runNode, startNode, tempDir } from "@replant/testkit";
import { expect, onTestFinished, test } from "vitest";

const demo = fileURLToPath(new URL("../../../scripts/demo.ts", import.meta.url));

/** The demo must not look at an address or a key that happens to be set. */
const foreign = {
  DATABASE_URL: "postgres://nobody@127.0.0.1:1/never",
  CLERK_API_URL: "http://127.0.0.1:1",
  CLERK_SECRET_KEY: "sk_live_never",
};

/** What the demo has made in its directory for temporary files. */
async function leftIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith("replant-"));
}

test("the demo shows what a reset keeps and that Clerk and an app go on meanwhile, and removes what it made", async () => {
  const directory = await tempDir();
  const { code, stdout, stderr } = await runNode(demo, [], {
    cwd: directory,
    env: { ...foreign, TMPDIR: directory },
    timeoutMs: 220_000,
  });
  expect({ code, stderr, failed: stdout.match(/^.*\[!!\].*$/gm) }).toEqual({ code: 0, stderr: "", failed: null });
  // Columns: before, after drop and rebuild, after a reset, same to the microsecond, on the right server.
  for (const line of [
    /^ +users +8 +0 +8 +8 of 8$/m,
    /^ +organizations +3 +0 +3 +3 of 3$/m,
    /^ +organization_memberships +17 +0 +17 +17 of 17$/m,
    /^ +organization_services +5 +0 +5 +5 of 5 +5 of 5$/m,
    /^ +organization_prompts +3 +0 +3 +3 of 3 +3 of 3$/m,
    /^ +organization_resources +3 +0 +3 +3 of 3 +3 of 3$/m,
    /^ +together +39 +0 +39 +39 of 39 +11 of 11$/m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).toContain("39 of 39 rows are there under their ids, equal in every column");
  expect(stdout).toContain(
    "11 of 11 references lead to the right server by server_key, although 6 of 6 servers have a new id",
  );
  // Columns: before, after, in Clerk.
  for (const line of [
    /^ +users +8 +9 +9$/m,
    /^ +organizations +3 +2 +2\n +deleted +0 +1$/m,
    /^ +memberships +12 +9 +9\n +deleted +0 +3$/m,
    /^ +enabled services +4 +4$/m,
    /^ +custom prompts +2 +2$/m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).toContain("a webhook has come: Hugo is called Zora in Clerk now, and Zora in live");
  expect(stdout).toMatch(
    /the reset names Globex: organization org_\w+ is gone; on it hang 1 row of organization_prompts, 2 rows of organization_services/,
  );
  expect(stdout).toMatch(/the app took 5 messages of Clerk; \d came again after being refused/);
  expect(stdout).toContain("nothing differs\n");
  expect(stdout).toContain("23 of 23 users, organizations and memberships have the ids of before");
  expect(stdout).toContain("6 of 6 custom rows are equal in every column");
  expect(stdout.match(/^\$ replant .*$/gm)).toEqual([
    "$ replant reset",
    "$ replant clean --all",
    "$ replant reset",
    "$ replant undo",
    "$ replant reset",
    expect.stringMatching(/^\$ replant serve --port=\d+ &$/),
    "$ replant reset",
    "$ replant identity drift --exit-code",
  ]);
  // What the commands print stands between, as it is.
  expect(stdout.match(/^replant result=ok /gm)).toHaveLength(6);
  expect(await leftIn(directory)).toEqual([]);
}, 240_000);

test("Ctrl-C in the middle of its last reset ends every program of the demo, and nothing is left", async () => {
  const directory = await tempDir();
  const running = startNode(demo, [], { cwd: directory, env: { TMPDIR: directory }, timeoutMs: 220_000 });
  onTestFinished(() => killGroup(running.child));
  const group = -(running.child.pid ?? Number.NaN);
  while (running.child.exitCode === null && !/apps\/api[^]*carry /.test(running.seen().stdout)) await sleep(20);
  process.kill(group, "SIGINT");
  const { code, stdout } = await running.done;
  expect(code, stdout).toBe(130);
  expect(stdout).not.toContain("[!!]");
  expect(() => process.kill(group, 0)).toThrow("ESRCH");
  expect(await leftIn(directory)).toEqual([]);
}, 240_000);
