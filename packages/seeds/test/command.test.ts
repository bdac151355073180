import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SqlSession } from "@replant/core";
import { importModule, nodeFiles } from "@replant/node";
import { createDatabase, tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { createSeeder, type CommandSeed, type SeederOptions } from "../src/index.ts";
import { hiding } from "../src/secrets.ts";
import { sessionOn } from "./sessions.ts";

const all = { sets: null, only: null };
const building = { mustWrite: true, onSeed: () => undefined };
const rerun = { mustWrite: false, onSeed: () => undefined };

/** A project with one script in `scripts/seed.mjs`, which may `import pg`, and a database with an empty table `t`. */
async function project(script: string): Promise<{
  root: string;
  session: SqlSession;
  run: (entry?: Partial<CommandSeed>, options?: Partial<SeederOptions>, how?: typeof building) => Promise<unknown>;
}> {
  const root = await tempDir();
  const pg = import.meta.resolve("pg");
  await writeTree(root, {
    "scripts/seed.mjs": `import pg from ${JSON.stringify(pg)};
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
${script}`,
  });
  const database = await createDatabase(18);
  const session = await sessionOn(database.url);
  await session.script("create table t (id int primary key)");
  const command: CommandSeed = {
    name: "script",
    set: "system",
    command: [process.execPath, "seed.mjs"],
    cwd: "scripts",
    inputs: ["scripts/**"],
  };
  const run = (entry = {}, options = {}, how = building): Promise<unknown> =>
    createSeeder({
      root,
      patterns: [],
      sets: ["system"],
      files: nodeFiles(),
      importModule,
      commands: [{ ...command, ...entry }],
      connectionUrl: (name) => (name === database.name ? database.url : null),
      environment: process.env,
      ...options,
    }).run(session, all, how);
  return { root, session, run };
}

const insert = `await client.connect(); await client.query("insert into t select generate_series(1, 3) on conflict do nothing"); await client.end();`;

describe("a command seed", () => {
  test("writes on its own connection, in its directory; rows are counted and recorded", async () => {
    const { session, run } = await project(insert);
    expect(await run()).toEqual([{ name: "script", set: "system", rows: 3 }]);
    expect(await session.query("select name, rows::text from replant.applied_seeds")).toEqual([
      { name: "script", rows: "3" },
    ]);
    expect(await run({}, {}, rerun)).toEqual([{ name: "script", set: "system", rows: 0 }]);
  });

  test("exit code 0 and not one row more is an error in a new database, unless it may", async () => {
    const { session, run } = await project(`console.log("nothing to do");`);
    await expect(run()).rejects.toMatchObject({
      code: "REPLANT_SEED_EMPTY",
      details: { excerpt: "nothing to do" },
    });
    expect(await session.query("select name from replant.applied_seeds")).toEqual([]);
    expect(await run({ mayBeEmpty: true })).toMatchObject([{ rows: 0 }]);
  });

  test("a failure shows the end of the output, without colours and without the password", async () => {
    const { run } = await project(`for (let n = 1; n <= 100; n += 1) console.log("line " + n);
console.error("\\u001b[31mcannot reach " + process.env.DATABASE_URL + "\\u001b[0m and 'p@ss/word'"); process.exitCode = 3;`);
    const url = "postgresql://postgres:p%40ss%2Fword@127.0.0.1:1/app";
    const error = await run({}, { connectionUrl: () => url }).then(
      () => null,
      (thrown: { code: string; details: { why: string; excerpt: string; where: string } }) => thrown,
    );
    expect(error).toMatchObject({
      code: "REPLANT_SEED_FAILED",
      message: 'seed "script" failed',
      details: { why: "it ended with exit code 3", where: `${process.execPath} seed.mjs` },
    });
    const lines = error?.details.excerpt.split("\n") ?? [];
    expect(lines).toHaveLength(40);
    expect(lines.at(-1)).toBe("cannot reach *** and '***'");
    expect(lines.at(-2)).toBe("line 100");
  });

  test("sees DATABASE_URL, a few variables, and those that it names", async () => {
    const { run } = await project(`console.log(Object.keys(process.env).sort().join(" ")); process.exitCode = 1;`);
    const environment = {
      PATH: "/bin",
      SECRET: "s",
      CLERK_SECRET_KEY: "k",
      DATABASE_URL: "another",
      NODE_OPTIONS: "--bad",
    };
    const seen = (passEnv: string[]): Promise<unknown> => run({ passEnv }, { environment });
    await expect(seen([])).rejects.toMatchObject({ details: { excerpt: "DATABASE_URL PATH" } });
    await expect(seen(["CLERK_SECRET_KEY"])).rejects.toMatchObject({
      details: { excerpt: "CLERK_SECRET_KEY DATABASE_URL PATH" },
    });
  });

  test("no shell reads its arguments", async () => {
    const { run } = await project(`console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 1;`);
    const odd = ["$HOME", "a b", "; rm -rf x", "*"];
    await expect(run({ command: [process.execPath, "seed.mjs", ...odd] })).rejects.toMatchObject({
      details: { excerpt: JSON.stringify(odd) },
    });
  });

  test("a program that does not exist", async () => {
    const { run } = await project("");
    await expect(run({ command: ["no-such-program"] })).rejects.toMatchObject({
      code: "REPLANT_SEED_FAILED",
      details: { why: expect.stringContaining("ENOENT") },
    });
  });

  test("an engine that takes no connections says so", async () => {
    const { run } = await project("");
    await expect(run({}, { connectionUrl: () => null })).rejects.toMatchObject({
      code: "REPLANT_SEED_FAILED",
      details: { hint: expect.stringContaining("defineSeed") },
    });
  });

  test("abort ends it with all that it started, also what ignores SIGTERM", async () => {
    const { root, run } = await project(`
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
process.on("SIGTERM", () => {});
const child = spawn("sleep", ["600"], { stdio: "inherit" });
writeFileSync("pids", process.pid + " " + child.pid);
await new Promise(() => setInterval(() => {}, 1000));`);
    const controller = new AbortController();
    const done = run({}, { signal: controller.signal });
    const pids = await eventually(async () => readFile(join(root, "scripts/pids"), "utf8"));
    controller.abort();
    await expect(done).rejects.toMatchObject({ code: "REPLANT_CANCELLED" });
    for (const pid of pids.split(" ").map(Number))
      await eventually(async () => (isGone(pid) ? true : Promise.reject(new Error("alive"))));
    await expect(run({}, { signal: controller.signal })).rejects.toMatchObject({ code: "REPLANT_CANCELLED" });
  });

  test("what it leaves running is ended with it, and does not hold up the run", async () => {
    const { root, run } = await project(`
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
const child = spawn("sleep", ["600"], { stdio: "inherit" });
child.unref();
writeFileSync("pids", String(child.pid));
${insert}`);
    expect(await run()).toMatchObject([{ rows: 3 }]);
    const pid = Number(await readFile(join(root, "scripts/pids"), "utf8"));
    expect(await eventually(async () => (isGone(pid) ? true : Promise.reject(new Error("alive"))))).toBe(true);
  });

  test("its time is limited", async () => {
    const { run } = await project(`await new Promise(() => setInterval(() => {}, 1000));`);
    await expect(run({ timeoutMs: 300 })).rejects.toMatchObject({
      code: "REPLANT_SEED_FAILED",
      details: { why: "it did not end within 300 ms" },
    });
  });

  test("runs in order with the project's own seeds", async () => {
    const { root, session, run } = await project(insert);
    const api = JSON.stringify(import.meta.resolve("../src/index.ts"));
    await writeTree(root, {
      "seeds/a.ts": `import { defineSeed } from ${api};
export const more = defineSeed({ name: "more", dependsOn: ["script"], run: ({ query }) => query("insert into t select max(id) + 1 from t") });`,
    });
    expect(await run({}, { patterns: ["seeds/*.ts"] })).toMatchObject([
      { name: "script", rows: 3 },
      { name: "more", rows: 1 },
    ]);
    expect(await session.query("select max(id) as last from t")).toEqual([{ last: 4 }]);
  });
});

test("no form of a password is shown", () => {
  const hide = hiding("postgresql://me:s%3Acret@db.example:5432/app?sslmode=require");
  expect(hide("postgresql://me:s%3Acret@db.example:5432/app?sslmode=require")).toBe("***");
  expect(hide("password s:cret for me, redis://u:other@host/1, me@db.example")).toBe(
    "password *** for me, redis://***@host/1, me@db.example",
  );
  expect(hiding("not a url")("not a url, nothing")).toBe("***, nothing");
  expect(hiding("postgresql:///app")("plain text")).toBe("plain text");
});

/** A zombie that nobody collects is gone too. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return existsSync("/proc/self/stat") && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

/** What `look` gives as soon as it does not throw. */
async function eventually<T>(look: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await look();
    } catch (error) {
      if (attempt > 1_000) throw error;
      await sleep(10);
    }
  }
}
