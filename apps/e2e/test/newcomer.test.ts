import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { openEmbedded } from "@replant/postgres/embedded";
import { tempDir } from "@replant/testkit";
import { expect, test } from "vitest";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../..", import.meta.url));

test(
  "a fresh clone under a new home: install, reset, reset again, and the chain of turbo tasks keep the rows",
  { timeout: 600_000 },
  async () => {
    const directory = await tempDir();
    const [clone, home] = [join(directory, "clone"), join(directory, "home")];
    await mkdir(home);
    await run("git", ["clone", "--quiet", repository, clone]);
    // The newcomer's own Node is whatever runs npx; the workspace brings the one that it needs.
    const path = (process.env["PATH"] ?? "")
      .split(":")
      .filter((entry) => !entry.includes("node_modules"))
      .join(":");
    const pnpm = async (script: string): Promise<string> => {
      const env = { PATH: path, HOME: home, LANG: "C.UTF-8" };
      const { stderr, stdout } = await run("npx", ["-y", "pnpm@12", script], { cwd: clone, env, maxBuffer: 1 << 26 });
      return stdout + stderr;
    };
    const onLive = async <Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value> => {
      const state = join(clone, ".replant");
      const engine = openEmbedded({
        directory: join(state, "pg/app"),
        name: "app",
        files: nodeFiles(),
        cacheDirectory: join(state, "cache"),
      });
      try {
        const live = await engine.liveRef();
        if (live === null) throw new Error("there is no live database");
        const session = await engine.connect(live);
        return await work(session).finally(() => session.close());
      } finally {
        await engine.close();
      }
    };
    const members = async (): Promise<string[]> =>
      onLive(async (session) =>
        (await session.query<{ row: string }>("select m::text as row from organization_memberships m order by id")).map(
          ({ row }) => row,
        ),
      );

    expect(await pnpm("db:reset")).toContain("result=ok");
    const rows = await readFile(join(clone, "packages/database/samples/synced-rows.sql"), "utf8");
    await onLive((session) => session.script(rows));
    const before = await members();
    expect(before).toHaveLength(17);
    expect(await pnpm("db:reset")).toMatch(/carry +39\/39 rows/);
    expect(await members()).toEqual(before);
    const chain = await pnpm("db:cycle");
    for (const task of ["db:backup", "db:reset", "db:seed", "db:restore"]) expect(chain).toContain(task);
    expect(await members()).toEqual(before);
  },
);
