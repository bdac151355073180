import { tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { loadCommands } from "../src/commands/index.ts";
import { main } from "../src/main.ts";
import { fakeScreen, hasEscapes } from "./screen.ts";

const commands = await loadCommands();

const minimal = `export default { project: "acme", migrations: { tool: "prisma", directory: "migrations" } };\n`;

async function project(config = minimal): Promise<string> {
  const cwd = await tempDir();
  await writeTree(cwd, {
    "replant.config.ts": config,
    "migrations/1_init/migration.sql": "create table t (id int primary key);",
  });
  return cwd;
}

describe("a command line that cannot be understood", () => {
  test.each<[string[], string]>([
    [["reset", "--dryrun"], "there is no flag --dryrun; did you mean --dry-run?"],
    [["reset", "--forse"], "there is no flag --forse; did you mean --force?"],
    [["restor"], 'there is no command "restor"; did you mean restore?'],
    [["migrate", "upp"], 'there is no command "upp"; did you mean up?'],
    [["reset", "extra"], "too many arguments"],
    [["reset", "--", "--", "--force"], "too many arguments"],
    [["seed", "--set"], "--set"],
    [["serve", "--port=http"], "whole number"],
    [["reset", "-f"], "-f"],
    [["reset", "--yes"], "--yes agrees to nothing by itself"],
    [["backup", "verifi"], "too many arguments"],
    [["backup", "diff", "a", "b", "c"], "too many arguments"],
    [["backup", "show"], "replant backup show needs a backup"],
    [["backup", "copy", "latest"], "replant backup copy needs a directory or a .replant file to copy it into"],
    [["backup", "remove"], "replant backup remove needs a backup"],
  ])("%j ends with 64 and says what is meant", async (argv, message) => {
    const screen = fakeScreen();
    expect(await main(argv, screen.options)).toBe(64);
    expect(screen.stderr()).toContain("REPLANT_USAGE");
    expect(screen.stderr()).toContain(message);
    expect(screen.stdout()).toBe("");
  });

  test("what is nothing like a flag is not answered with one", async () => {
    const screen = fakeScreen();
    expect(await main(["reset", "--nope"], screen.options)).toBe(64);
    expect(screen.stderr()).not.toContain("did you mean");
  });

  test("with --json it is one document on stdout too", async () => {
    const screen = fakeScreen();
    expect(await main(["reset", "--dryrun", "--json"], screen.options)).toBe(64);
    expect(JSON.parse(screen.stdout())).toMatchObject({
      version: 1,
      ok: false,
      error: { code: "REPLANT_USAGE", exit: 64, hint: "replant reset --help" },
    });
  });

  test.each<[string[]]>([
    [["reset", "--chain", "--force"]],
    [["reset", "--chain", "--dry-run"]],
    [["restore", "latest", "--chain"]],
    [["seed", "--chain", "--list"]],
    [["backup", "--all", "--chain"]],
    [["backup", "--all", "--tables=users"]],
    [["backup", "verify", "latest", "--all"]],
  ])("%j: flags that mean nothing together are refused, not ignored", async (argv) => {
    const screen = fakeScreen({ cwd: await project() });
    expect(await main(argv, screen.options)).toBe(64);
    expect(screen.stderr()).toContain("cannot stand beside");
  });
});

describe("help", () => {
  test.each(commands.map(({ spec }) => [spec.path.join(" "), spec] as const))(
    "%s --help tells every flag",
    async (_name, spec) => {
      const screen = fakeScreen();
      expect(await main([...spec.path, "--help"], screen.options)).toBe(0);
      expect(screen.stderr()).toBe("");
      expect(screen.stdout()).toContain(spec.brief);
      for (const name of Object.keys(spec.flags)) {
        expect(screen.stdout()).toContain(`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
      }
      expect(hasEscapes(screen.stdout())).toBe(false);
    },
  );

  test("help, --help and no words at all list every command", async () => {
    for (const argv of [["help"], ["--help"], []]) {
      const screen = fakeScreen();
      expect(await main(argv, screen.options)).toBe(0);
      for (const { spec } of commands) expect(screen.stdout()).toContain(`  ${spec.path[0]} `);
    }
  });

  test("the version goes to stdout", async () => {
    const screen = fakeScreen();
    expect(await main(["--version"], screen.options)).toBe(0);
    expect(screen.stdout()).toMatch(/^\d+\.\d+\.\d+/);
  });
});

test("outside of a project the command says where it looked", async () => {
  const cwd = await tempDir();
  const screen = fakeScreen({ cwd });
  expect(await main(["status"], screen.options)).toBe(64);
  expect(screen.stderr()).toContain("REPLANT_CONFIG_NOT_FOUND");
  expect(screen.stderr()).toContain(cwd);
});

describe("the guard, before anything connects", () => {
  const url = "postgres://me:s3cret-word@db.example.invalid:5432/acme_dev";
  const changing: string[][] = [
    ["reset"],
    ["reset", "--force"],
    ["reset", "--chain"],
    ["restore"],
    ["restore", "--chain"],
    ["undo"],
    ["seed"],
    ["seed", "--chain"],
    ["migrate", "up"],
    ["clean"],
    ["backup", "--chain"],
  ];

  test.each(changing.map((argv) => [argv]))(
    "%j: a database that looks like production is refused with 3",
    async (argv) => {
      const screen = fakeScreen({
        cwd: await project(),
        env: { DATABASE_URL: url, CLERK_SECRET_KEY: "sk_live_abcdef", NODE_ENV: "production" },
      });
      expect(await main(argv, screen.options)).toBe(3);
      const text = screen.stderr();
      expect(text).toContain("REPLANT_GUARD_PRODUCTION");
      expect(text).toContain("NODE_ENV=production");
      expect(text).toContain("CLERK_SECRET_KEY starts with sk_live_");
      expect(text).not.toContain("abcdef");
      expect(text).not.toContain("s3cret-word");
      expect(text.split("\n")[0]).toContain("acme_dev@db.example.invalid:5432");
      expect(text.split("\n")[0]).toContain("DATABASE_URL of the shell");
    },
  );

  test("--yes does not help there, and neither does a name that says production", async () => {
    const screen = fakeScreen({ cwd: await project(), env: { DATABASE_URL: url.replace("acme_dev", "acme_prod") } });
    expect(await main(["reset", "--yes=acme_prod"], screen.options)).toBe(3);
    expect(screen.stderr()).toContain("REPLANT_GUARD_PRODUCTION");
  });

  test("another machine's database has to be named", async () => {
    const cwd = await project();
    const unnamed = fakeScreen({ cwd, env: { DATABASE_URL: url } });
    expect(await main(["reset", "--json"], unnamed.options)).toBe(3);
    expect(JSON.parse(unnamed.stdout())).toMatchObject({
      command: "reset",
      ok: false,
      error: { code: "REPLANT_GUARD_REMOTE", exit: 3, hint: expect.stringContaining("--yes=acme_dev") },
    });
    const wrong = fakeScreen({ cwd, env: { DATABASE_URL: url } });
    expect(await main(["reset", "--yes=acme"], wrong.options)).toBe(3);
  });

  test("nobody is asked, even at a terminal", async () => {
    const screen = fakeScreen({ tty: true, cwd: await project(), env: { DATABASE_URL: url, TERM: "xterm" } });
    expect(await main(["reset"], screen.options)).toBe(3);
  });
});

test("under turbo's strict mode the missing variable is explained", async () => {
  const screen = fakeScreen({ cwd: await project(), env: { TURBO_HASH: "a1b2", npm_lifecycle_event: "db:reset" } });
  expect(await main(["reset"], screen.options)).toBe(64);
  expect(screen.stderr()).toContain("REPLANT_ENV_STRIPPED");
  expect(screen.stderr()).toContain('tasks["db:reset"].passThroughEnv');
});

describe("flags that npm kept", () => {
  const npm = { npm_lifecycle_event: "db:reset", npm_config_user_agent: "npm/11.19.1 node/v24" };

  test("a forced reset is refused before the configuration is read", async () => {
    const screen = fakeScreen({ cwd: await tempDir(), env: { ...npm, npm_config_force: "true" } });
    expect(await main(["reset"], screen.options)).toBe(64);
    expect(screen.stderr()).toContain("REPLANT_FLAG_SWALLOWED");
    expect(screen.stderr()).toContain("npm run db:reset -- --force");
  });

  test("--json is honoured, for errors too", async () => {
    const screen = fakeScreen({ cwd: await tempDir(), env: { ...npm, npm_config_json: "true" } });
    expect(await main(["status"], screen.options)).toBe(64);
    expect(JSON.parse(screen.stdout())).toMatchObject({ error: { code: "REPLANT_CONFIG_NOT_FOUND" } });
  });
});

test("on GitHub an error is an annotation as well, and stdout stays data", async () => {
  const cwd = await project("export default {};\n");
  const screen = fakeScreen({ cwd, env: { GITHUB_ACTIONS: "true", CI: "true" } });
  expect(await main(["status", "--json"], screen.options)).toBe(64);
  expect(screen.stderr()).toMatch(/^::error .*title=REPLANT_CONFIG_INVALID::/m);
  expect(JSON.parse(screen.stdout()).ok).toBe(false);
});

test("only --debug shows a stack", async () => {
  const cwd = await project("throw new Error('broken config');\n");
  const [quiet, loud] = [fakeScreen({ cwd }), fakeScreen({ cwd })];
  await main(["status"], quiet.options);
  await main(["status", "--debug"], loud.options);
  expect(quiet.stderr()).not.toMatch(/^\s+at /m);
  expect(loud.stderr()).toMatch(/^\s+at /m);
});

describe("what a terminal gets", () => {
  test.each([
    ["NO_COLOR", { tty: true, env: { NO_COLOR: "1", TERM: "xterm" } }],
    ["no terminal", { tty: false, env: { FORCE_COLOR: "1" } }],
    ["TERM=dumb", { tty: true, env: { TERM: "dumb" } }],
    ["CI", { tty: true, env: { CI: "true", TERM: "xterm" } }],
    ["turbo", { tty: true, env: { TURBO_HASH: "x", TERM: "xterm", DATABASE_URL: "postgres://localhost:1/acme" } }],
  ])("no escape codes with %s", async (_case, options) => {
    const screen = fakeScreen({ ...options, cwd: await project() });
    await main(["backups"], screen.options);
    await main(["reset", "--nope"], screen.options);
    expect(screen.stderr()).toContain("no backups");
    expect(screen.stderr()).toContain("REPLANT_USAGE");
    expect(hasEscapes(screen.stderr())).toBe(false);
  });

  test("colour where it is wanted, none with --no-color", async () => {
    const cwd = await project();
    const [with_, without] = [fakeScreen({ tty: true, cwd }), fakeScreen({ tty: true, cwd })];
    await main(["backups"], with_.options);
    await main(["backups", "--no-color"], without.options);
    expect(hasEscapes(with_.stderr())).toBe(true);
    expect(hasEscapes(without.stderr())).toBe(false);
  });
});
