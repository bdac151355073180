import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Ports } from "@replant/core";
import { makeWorkspace, runNode, sql, tempDir, type Workspace, writeTree } from "@replant/testkit";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { main } from "../src/main.ts";
import type { ShellOptions } from "../src/shell.ts";
import { fakeScreen, hasEscapes } from "./screen.ts";

const bin = fileURLToPath(new URL("../src/bin.mjs", import.meta.url));
const loaded = fileURLToPath(new URL("fixtures/loaded.mjs", import.meta.url));

const seed = (name: string, body: string): Record<string, string> => ({
  [`seeds/${name}.ts`]: `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "${name}", set: "system", async run({ query }) {
  ${body}
} });
`,
});

/** One for all tests of this file, which run one after the other: building it takes longer than most of them. */
let workspace: Workspace;
beforeAll(async () => {
  workspace = await makeWorkspace();
  const first = await workspace.replant(["reset"]);
  expect(first.code, first.stderr).toBe(0);
});

/** Adds a seed for the length of one test. */
async function withSeed(name: string, body: string): Promise<void> {
  onTestFinished(() => workspace.remove(`seeds/${name}.ts`).catch(() => undefined));
  await workspace.write(seed(name, body));
}

interface Status {
  readonly target: { readonly live: { readonly id: string } };
  readonly managed: readonly { readonly role: string }[];
  readonly unfinished: string | null;
}

async function status(): Promise<Status> {
  const { stdout } = await workspace.replant(["status", "--json"]);
  return JSON.parse(stdout) as Status;
}

describe("starting", () => {
  test("help loads nothing that works: no core, no configuration, no driver", async () => {
    const cwd = await tempDir();
    const { code, stderr } = await runNode(loaded, [bin, "--help"], { cwd });
    expect(code).toBe(0);
    const urls = stderr.trim().split("\n");
    expect(urls.length).toBeGreaterThan(10);
    const allowed = /\/apps\/cli\/src\/|\/@stricli\/core\//;
    expect(urls.filter((url) => url.startsWith("file:") && !allowed.test(url))).toEqual([]);
    expect(urls.filter((url) => url.includes("handler.ts"))).toEqual([]);
  });

  test("a command loads only the engine that it needs", async () => {
    const cwd = await tempDir();
    await writeTree(cwd, {
      "replant.config.ts": 'export default { migrations: { tool: "prisma", directory: "migrations" } };\n',
    });
    const { stderr } = await runNode(loaded, [bin, "backups"], {
      cwd,
      env: { DATABASE_URL: "postgres://localhost:1/app" },
    });
    expect(stderr).toContain("/server/");
    expect(stderr).not.toMatch(/pglite|\/clack\/|\/jiti\//);
  });

  test("without stdin, without a terminal and with every output closed by its reader it still ends well", async () => {
    const cwd = await tempDir();
    const closed = await runNode(bin, ["--version"], { cwd, stdin: "closed" });
    expect(closed).toMatchObject({ code: 0, stderr: "" });
    const child = spawn("sh", ["-c", `"${process.execPath}" "${bin}" --help | true`], {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await new Promise((resolve) => child.once("close", resolve));
    expect(stderr).toBe("");
  });
});

test("a project's own code cannot write into the data", async () => {
  const config = readFileSync(`${workspace.directory}/replant.config.ts`, "utf8");
  onTestFinished(() => workspace.write({ "replant.config.ts": config }));
  await workspace.write({
    "replant.config.ts": `console.log("config says hello");\nprocess.stdout.write("and more\\n");\n${config}`,
  });
  await withSeed(
    "chatty",
    `console.log("seed says", process.env["SECRET"]);
  await query("insert into users (clerk_id, email) values ('u1', 'u1@example.com') on conflict do nothing");`,
  );
  const { code, stdout, stderr } = await workspace.replant(["seed", "--only", "chatty", "--json"], {
    env: { SECRET: "postgres://me:s3cret-word@h/db" },
  });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).seeds).toEqual([{ name: "chatty", set: "system", rows: 1 }]);
  expect(stderr).toContain("config says hello\nand more\n");
  expect(stderr).toContain("seed says postgres://me:***@h/db");
});

test("a forced reset is refused where rows would be left behind and nobody can be asked; the command that agrees is printed", async () => {
  await withSeed(
    "keeper",
    "await query(\"insert into users (clerk_id, email) values ('u2', 'u2@example.com') on conflict do nothing\");",
  );
  expect((await workspace.replant(["seed", "--only", "keeper"])).code).toBe(0);
  await workspace.remove("seeds/keeper.ts");
  const refused = await workspace.replant(["reset", "--force", "--set", "system"], { stdin: "closed" });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain("REPLANT_CONSENT_NEEDED");
  expect(refused.stderr).toContain("that a smart reset would keep");
  const line = /fix +replant (.*)$/m.exec(refused.stderr)?.[1];
  expect(line).toBe("reset --force --set system --yes=app");
  expect(hasEscapes(refused.stderr)).toBe(false);
  const other = await workspace.replant(["reset", "--force", "--yes=other"]);
  expect(other.code).toBe(3);
  expect(other.stderr).toContain('--yes names "other", the database is "app"');
  const agreed = await workspace.replant(line?.split(" ") ?? []);
  expect(agreed.code, agreed.stderr).toBe(0);
  expect(agreed.stdout).toBe("");
});

describe("a question", () => {
  /** A terminal at which somebody types `answer` once they are asked. */
  function atTerminal(answer: string): { options: ShellOptions; text: () => string } {
    let text = "";
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
    const stderr = Object.assign(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          const asked = text.includes("to agree");
          text += chunk.toString();
          if (!asked && text.includes("to agree")) setTimeout(() => stdin.write(`${answer}\r`), 50);
          done();
        },
      }),
      { isTTY: true, columns: 100, getColorDepth: () => 1 },
    );
    return {
      options: {
        cwd: workspace.directory,
        env: { TERM: "xterm" },
        stdin,
        stdout: { write: () => true },
        stderr,
      },
      text: () => text,
    };
  }

  test("is asked where somebody sits, and only the database's name agrees", async () => {
    await withSeed(
      "asker",
      "await query(\"insert into users (clerk_id, email) values ('u3', 'u3@example.com') on conflict do nothing\");",
    );
    expect((await workspace.replant(["seed", "--only", "asker"])).code).toBe(0);
    await workspace.remove("seeds/asker.ts");
    const before = await status();
    const wrong = atTerminal("yes");
    expect(await main(["reset", "--force"], wrong.options)).toBe(3);
    expect(wrong.text()).toContain("REPLANT_CONSENT_NEEDED");
    // A name that was given and is wrong is not asked for again.
    const given = atTerminal("app");
    expect(await main(["reset", "--force", "--yes=other"], given.options)).toBe(3);
    expect(given.text()).not.toContain("to agree");
    expect((await status()).target.live.id).toBe(before.target.live.id);
    const right = atTerminal("app");
    expect(await main(["reset", "--force"], right.options), right.text()).toBe(0);
    expect(right.text()).toContain("Done in");
    expect((await status()).target.live.id).not.toBe(before.target.live.id);
  });
});

test("the mark inside the database is asked under the lock: no command that changes live gets past it", async () => {
  // So that there is a backup to restore and a previous database to go back to.
  expect((await workspace.replant(["reset"])).code).toBe(0);
  const before = await status();
  for (const argv of [
    ["reset"],
    ["reset", "--force", "--yes=app"],
    ["restore"],
    ["undo"],
    ["seed"],
    ["migrate", "up"],
    ["clean"],
    ["backup", "--chain"],
    ["seed", "--chain"],
    ["restore", "--chain"],
  ]) {
    const screen = fakeScreen({ cwd: workspace.directory });
    const decorate = (ports: Ports): Ports => ({
      ...ports,
      engine: new Proxy(ports.engine, {
        get: (engine, name) => {
          if (name === "probe") return async () => ({ ...(await engine.probe()), environment: "production" });
          const member: unknown = Reflect.get(engine, name, engine);
          return typeof member === "function" ? (member.bind(engine) as unknown) : member;
        },
      }),
    });
    expect(await main(argv, { ...screen.options, decorate }), argv.join(" ")).toBe(3);
    expect(screen.stderr()).toContain("the mark in the database says production");
  }
  const after = await status();
  expect(after.target.live.id).toBe(before.target.live.id);
});

describe("a run that is cut short", () => {
  test.each([
    ["a seed that ends the process with 0", "process.exit(0);"],
    ["a seed that ends it with a code of its own", "process.exit(7);"],
  ])("%s does not look like success, and live is what it was", async (_case, body) => {
    const before = await status();
    await withSeed("quitter", body);
    const result = await workspace.replant(["reset"]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("the process ended before the run was over");
    expect(result.stderr).toContain("live was not changed");
    const after = await status();
    expect(after.target.live.id).toBe(before.target.live.id);
    expect(after.unfinished).toContain("has not ended");
    const next = await workspace.replant(["clean"]);
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).toContain("was stopped before its swap");
    expect((await status()).unfinished).toBeNull();
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends it with %d after cleaning up; live is what it was", async (signal, code) => {
    const before = await status();
    await withSeed("sleeper", 'console.log("asleep"); await new Promise((done) => setTimeout(done, 60_000));');
    const running = workspace.start(["reset", "--json"]);
    await seen(running, "asleep");
    running.child.kill(signal);
    const result = await running.done;
    expect(result).toMatchObject({ code, signal: null });
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, error: { code: "REPLANT_CANCELLED", exit: code } });
    expect(result.stderr).toContain("live was not changed");
    const after = await status();
    expect(after.target.live.id).toBe(before.target.live.id);
    expect(after.managed.filter(({ role }) => role === "building" || role === "candidate")).toEqual([]);
    expect(after.unfinished).toBeNull();
  });

  test("a second signal ends it at once; the next command cleans up", async () => {
    await withSeed(
      "stubborn",
      'process.on("SIGINT", () => console.log("heard")); console.log("asleep"); await new Promise((done) => setTimeout(done, 60_000));',
    );
    const entry = fileURLToPath(new URL("fixtures/deaf.ts", import.meta.url));
    const running = workspace.start(["reset"], { entry });
    await seen(running, "asleep");
    running.child.kill("SIGINT");
    await seen(running, "heard");
    expect(running.child.exitCode).toBeNull();
    running.child.kill("SIGINT");
    expect(await running.done).toMatchObject({ code: 130, signal: null });
    const next = await workspace.replant(["clean"]);
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).toContain("was stopped before its swap");
  });
});

async function seen(running: ReturnType<Workspace["start"]>, text: string): Promise<void> {
  while (!running.seen().stderr.includes(text) && running.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(running.seen().stderr).toContain(text);
}

describe("serve", () => {
  test("programs reach the embedded database, a reset takes it meanwhile, and Ctrl-C ends it well", async () => {
    const serving = workspace.start(["serve", "--port=0", "--json"]);
    await seen(serving, "until Ctrl-C");
    const url = /postgres:\/\/localhost:\d+\/app/.exec(serving.seen().stderr)?.[0] ?? "";
    const servers = "select count(*)::int as n from mcp_servers";
    const [before] = await sql<{ n: number }>(url, servers);
    expect(before?.n).toBeGreaterThan(0);
    const reset = await workspace.replant(["reset"]);
    expect(reset.code, reset.stderr).toBe(0);
    expect(serving.seen().stderr).toContain("another command has the database;");
    expect(await sql(url, servers)).toEqual([before]);
    serving.child.kill("SIGINT");
    const { code, stdout } = await serving.done;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ version: 1, command: "serve", ok: true, url });
  });

  test("a server is not served", async () => {
    const refused = await workspace.replant(["serve"], { env: { DATABASE_URL: "postgres://localhost:1/app" } });
    expect(refused.code).toBe(64);
    expect(refused.stderr).toContain("on a server already");
  });
});

test("events and the result come as lines, in order, with nothing between", async () => {
  const { code, stdout, stderr } = await workspace.replant(["reset", "--json=stream"]);
  expect(code, stderr).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { version: number; type: string; step?: string; document?: { ok: boolean } });
  expect(new Set(lines.map(({ version }) => version))).toEqual(new Set([1]));
  const ends = lines.filter(({ type }) => type === "step-end").map(({ step }) => step);
  expect(ends.indexOf("backup")).toBeGreaterThan(-1);
  expect(ends.indexOf("backup")).toBeLessThan(ends.indexOf("swap"));
  expect(lines.at(-1)).toMatchObject({ type: "result", document: { ok: true } });
});

test("the pages made from the tables are what the code says", async () => {
  const repository = fileURLToPath(new URL("../../..", import.meta.url));
  const { code, stderr } = await runNode(`${repository}/scripts/docs.ts`, ["--check"], { cwd: repository });
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
