import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runNode, tempDir } from "@replant/testkit";
import { expect, test } from "vitest";

const demo = fileURLToPath(new URL("../../../scripts/demo.ts", import.meta.url));

test("the demo shows per table what a reset keeps and what dropping would have lost, and removes what it made", async () => {
  const directory = await tempDir();
  const { code, stdout, stderr } = await runNode(demo, [], {
    cwd: directory,
    // The demo must not look at an address that happens to be set.
    env: { TMPDIR: directory, DATABASE_URL: "postgres://nobody@127.0.0.1:1/never" },
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
  const commands = stdout.match(/^\$ .*$/gm);
  expect(commands).toEqual(["$ replant reset", "$ replant clean --all", "$ replant reset", "$ replant undo"]);
  // What the commands print stands between, as it is.
  expect(stdout.match(/^replant result=ok /gm)).toHaveLength(4);
  const left = (await readdir(directory)).filter((name) => name.startsWith("replant-demo-"));
  expect(left).toEqual([]);
}, 240_000);
