import { chmod } from "node:fs/promises";
import { tempDir, writeTree } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { parseConfig, resolveDatabase, type ResolvedDatabase, type UserConfig } from "../src/index.ts";
import { refusalOf } from "./failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Project {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Environment;
  readonly database?: UserConfig["database"];
}

/** Finds the database of a project whose env files are real ones. */
async function resolved({
  files = {},
  env = {},
  database,
}: Project): Promise<{ found: ResolvedDatabase; root: string }> {
  const root = await tempDir();
  await writeTree(root, files);
  const config = parseConfig(
    { migrations: { tool: "prisma", directory: "m" }, ...(database === undefined ? {} : { database }) },
    `${root}/replant.config.ts`,
  );
  return { found: await resolveDatabase({ config, root, env }), root };
}

const url = (database: string): string => `postgres://app:s3cret@localhost:5432/${database}`;
const inPackage = { package: "packages/database" };

describe("the first place that gives the URL wins", () => {
  const everywhere = {
    "packages/database/.env": `# the database\n\nexport DATABASE_URL="${url("package")}"\n`,
    "packages/database/prisma/.env": `DATABASE_URL='${url("prisma")}'`,
    "packages/database/.env.local": `DATABASE_URL=${url("local")}`,
    ".env": `A=1\nDATABASE_URL=${url("root")}`,
  };
  const without = (...paths: string[]): Record<string, string> =>
    Object.fromEntries(Object.entries(everywhere).filter(([path]) => !paths.includes(path)));

  test.each<[string, Project, string, string]>([
    ["the shell", { files: everywhere, env: { DATABASE_URL: url("shell") } }, "shell", "DATABASE_URL of the shell"],
    ["the package", { files: everywhere }, "package", "packages/database/.env:3"],
    ["its prisma directory", { files: without("packages/database/.env") }, "prisma", "packages/database/prisma/.env:1"],
    ["the root", { files: without("packages/database/.env", "packages/database/prisma/.env") }, "root", ".env:2"],
    [
      "an empty variable is none",
      { files: everywhere, env: { DATABASE_URL: " " } },
      "package",
      "packages/database/.env:3",
    ],
    [
      "an empty assignment is none",
      { files: { ...everywhere, "packages/database/.env": "DATABASE_URL= \n" } },
      "prisma",
      "packages/database/prisma/.env:1",
    ],
  ])("%s", async (_name, project, database, source) => {
    const { found } = await resolved({ ...project, database: inPackage });
    expect(found).toMatchObject({ kind: "server", url: url(database), source, address: { database } });
  });

  test("env files of one's own, under another name", async () => {
    const { found } = await resolved({
      files: { "config/dev.env": `DB=${url("dev")}`, ".env": `DB=${url("no")}\nDATABASE_URL=${url("no")}` },
      env: { DATABASE_URL: url("no") },
      database: { urlVariable: "DB", envFiles: ["absent.env", "config/dev.env"] },
    });
    expect(found).toMatchObject({ url: url("dev"), source: "config/dev.env:1" });
  });

  test("none gives it: embedded", async () => {
    const { found, root } = await resolved({ files: { ".env": "OTHER=1" }, database: { name: "acme" } });
    expect(found).toEqual({
      kind: "embedded",
      name: "acme",
      directory: `${root}/.replant/pg/acme`,
      source: "no DATABASE_URL found, using embedded",
      alternative: null,
      signs: { productionVariables: [], liveKeys: [] },
    });
  });

  test("engine embedded ignores a URL, engine server wants one", async () => {
    const env = { DATABASE_URL: url("shell") };
    const { found } = await resolved({ env, database: { engine: "embedded" } });
    expect(found).toMatchObject({ kind: "embedded", source: 'database.engine is "embedded"' });
    expect((await resolved({ env, database: { engine: "server" } })).found.kind).toBe("server");
    expect(await refusalOf(() => resolved({ database: { engine: "server" } }))).toMatchObject({
      code: "REPLANT_URL_INVALID",
      why: "neither the environment nor .env, prisma/.env gives it",
    });
  });

  test("an inherited property is no variable", async () => {
    const env = Object.create({ DATABASE_URL: url("inherited") }) as Environment;
    expect((await resolved({ env })).found.kind).toBe("embedded");
    expect((await resolved({ database: { urlVariable: "__proto__" } })).found.kind).toBe("embedded");
  });
});

describe("references in an env file", () => {
  test("are replaced, by the shell first", async () => {
    const files = { ".env": "PASSWORD=file\nDATABASE_URL=postgres://app:${PASSWORD}@${HOST:-localhost}/app" };
    expect((await resolved({ files })).found).toMatchObject({ url: "postgres://app:file@localhost/app" });
    expect((await resolved({ files, env: { PASSWORD: "shell", HOST: "db" } })).found).toMatchObject({
      url: "postgres://app:shell@db/app",
    });
  });

  test("that nothing sets are named", async () => {
    const files = { ".env": "DATABASE_URL=postgres://app:${PASSWORD}@${HOST}/app?x=${PASSWORD}" };
    const refusal = await refusalOf(() => resolved({ files }));
    expect(refusal).toMatchObject({
      code: "REPLANT_URL_INVALID",
      message: "DATABASE_URL refers to ${PASSWORD}, ${HOST}, which nothing sets",
      where: ".env:1",
    });
    expect(refusal.why).toBeUndefined();
    const inTurbo = await refusalOf(() => resolved({ files, env: { TURBO_HASH: "1" } }));
    expect(inTurbo.why).toContain("passThroughEnv");
  });
});

describe("where a URL leads", () => {
  test.each<[string, { location: string; database: string; local: boolean }, Environment?]>([
    ["postgres://localhost/app", { location: "localhost:5432", database: "app", local: true }],
    ["postgresql://u:p@127.0.0.9:6000/app?schema=public", { location: "127.0.0.9:6000", database: "app", local: true }],
    ["POSTGRES://u@[::1]:6000/app", { location: "::1:6000", database: "app", local: true }],
    [
      "postgres://u:p%40@DB.Example.com/my%20app",
      { location: "db.example.com:5432", database: "my app", local: false },
    ],
    ["postgres://localhost.example.com/app", { location: "localhost.example.com:5432", database: "app", local: false }],
    ["postgres://127.0.0.1.example.com/app", { location: "127.0.0.1.example.com:5432", database: "app", local: false }],
    ["postgres:///app?host=/run/pg", { location: "/run/pg/.s.PGSQL.5432", database: "app", local: true }],
    ["postgres://u@/app?host=/run/pg&port=6000", { location: "/run/pg/.s.PGSQL.6000", database: "app", local: true }],
    ["postgres://%2Frun%2Fpg/app", { location: "/run/pg/.s.PGSQL.5432", database: "app", local: true }],
    [
      "postgres://localhost/app?host=db.example.com",
      { location: "db.example.com:5432", database: "app", local: false },
    ],
    [
      "postgres://h/app?host=localhost&host=db.example.com",
      { location: "db.example.com:5432", database: "app", local: false },
    ],
    ["postgres:///app", { location: "localhost:5432", database: "app", local: true }],
    [
      "postgres:///app",
      { location: "db.example.com:6000", database: "app", local: false },
      { PGHOST: "db.example.com", PGPORT: "6000" },
    ],
    ["postgres://h/app", { location: "h:5432", database: "app", local: false }, { PGHOST: "localhost" }],
    ["postgres://%1b%5b2J/app", { location: "?[2j:5432", database: "app", local: false }],
  ])("%s", async (text, expected, env = {}) => {
    const { found } = await resolved({ env: { ...env, DATABASE_URL: text } });
    expect(found).toMatchObject({ kind: "server", url: text, address: expected });
  });

  test.each<[string, string]>([
    ["file:./s3cret.db", "file:"],
    ["mysql://root:s3cret@localhost/app", "mysql:"],
    ["prisma+postgres://localhost:51213/?api_key=s3cret", "prisma+postgres:"],
    ["prisma://accelerate/?api_key=s3cret", "prisma:"],
    ["MongoDB+srv://u:s3cret@cluster/app", "mongodb+srv:"],
  ])("%s is another engine's", async (text, scheme) => {
    const refusal = await refusalOf(() => resolved({ files: { ".env": `\nDATABASE_URL="${text}"` } }));
    expect(refusal).toMatchObject({
      code: "REPLANT_ENGINE_UNSUPPORTED",
      message: `DATABASE_URL is a URL of the scheme "${scheme}"`,
      where: ".env:2",
    });
    expect(JSON.stringify(refusal)).not.toContain("s3cret");
  });

  test.each<[string, string]>([
    ["app:s3cret@localhost/app", "it does not begin with postgres:// or postgresql://"],
    ["s3cret", "it does not begin with postgres:// or postgresql://"],
    ["'postgres://u:s3cret@localhost/app'", "it does not begin with postgres:// or postgresql://"],
    ["postgres://u:s3cret@localhost", "it names no database"],
    ["postgres://u:s3cret@localhost/?schema=app", "it names no database"],
    ["postgres://u:s3cret@localhost/a%00b", "it names no database"],
    ["postgres://u:s3cret#@localhost/app", "its parts cannot be told from each other"],
    ["postgres://u:s3cret@localhost:port/app", "its parts cannot be told from each other"],
    ["postgres://u:s3cret@localhost/%E0%A4%A", "its parts cannot be told from each other"],
    ["postgres://u:s3cret@a:1,b:2/app", "its parts cannot be told from each other"],
  ])("%s cannot be read", async (text, why) => {
    const refusal = await refusalOf(() => resolved({ env: { DATABASE_URL: text } }));
    expect(refusal).toMatchObject({ code: "REPLANT_URL_INVALID", why, where: "DATABASE_URL of the shell" });
    expect(JSON.stringify(refusal)).not.toContain("s3cret");
  });
});

describe("what was probably meant", () => {
  const production = { DATABASE_URL: "postgres://u:p@db.example.com/app" };

  test.each<[string, Project, ResolvedDatabase["alternative"]]>([
    [
      "a local database in a file",
      { env: production, files: { ".env": `\nDATABASE_URL=${url("app_dev")}` } },
      { source: ".env:2", location: "localhost:5432/app_dev" },
    ],
    [
      "the next file",
      { files: { ".env": `DATABASE_URL=${production.DATABASE_URL}`, "prisma/.env": `DATABASE_URL=${url("x y")}` } },
      { source: "prisma/.env:1", location: "localhost:5432/x%20y" },
    ],
    ["not a remote one", { env: production, files: { ".env": "DATABASE_URL=postgres://other.example.com/app" } }, null],
    ["not the same one", { env: { DATABASE_URL: url("app") }, files: { ".env": `DATABASE_URL=${url("app")}` } }, null],
    [
      "not one that cannot be read",
      { env: production, files: { ".env": "DATABASE_URL=postgres://${NOBODY}/app" } },
      null,
    ],
    ["not another engine's", { env: production, files: { ".env": "DATABASE_URL=file:./dev.db" } }, null],
  ])("%s", async (_name, project, expected) => {
    expect((await resolved(project)).found.alternative).toEqual(expected);
  });
});

describe("inside of turbo", () => {
  const env = { TURBO_HASH: "8d1f", npm_lifecycle_event: "db:reset" };

  test("a variable that did not arrive is said to be stripped, with the line to add", async () => {
    expect(await refusalOf(() => resolved({ env }))).toEqual({
      code: "REPLANT_ENV_STRIPPED",
      message: "DATABASE_URL is not set here, but turbo strict mode is active (TURBO_HASH present)",
      why: "turbo passes only the variables that a task names",
      state: "nothing was touched",
      hint: 'turbo.json: tasks["db:reset"].passThroughEnv += ["DATABASE_URL"]',
    });
    const renamed = await refusalOf(() =>
      resolved({ env: { ...env, npm_lifecycle_event: "\u001b[2J" }, database: { urlVariable: "DB" } }),
    );
    expect(renamed.hint).toBe('turbo.json: tasks["<task>"].passThroughEnv += ["DB"]');
  });

  test.each<[string, Project, string | null]>([
    ["the variable arrived", { env: { ...env, DATABASE_URL: url("app") } }, "server"],
    ["a file gives it", { env, files: { ".env": `DATABASE_URL=${url("app")}` } }, "server"],
    ["embedded is what the configuration says", { env, database: { engine: "embedded" } }, "embedded"],
    ["there is an embedded database", { env, files: { ".replant/pg/app/current.json": "{}" } }, "embedded"],
    ["there is another project's embedded database", { env, files: { ".replant/pg/other/current.json": "{}" } }, null],
    ["a file lies where the embedded database would", { env, files: { ".replant/pg/app": "" } }, null],
    [
      "a server is what the configuration says",
      { env, files: { ".replant/pg/app/current.json": "{}" }, database: { engine: "server" } },
      null,
    ],
    ["it is not turbo", { env: { TURBO_HASH: "" } }, "embedded"],
  ])("%s", async (_name, project, kind) => {
    const outcome = await resolved(project).then(
      ({ found }) => found.kind,
      (error: { code?: unknown }) => error.code,
    );
    expect(outcome).toBe(kind ?? "REPLANT_ENV_STRIPPED");
  });
});

describe("an env file that is there and cannot be read", () => {
  test("is named, not skipped", async () => {
    expect(await refusalOf(() => resolved({ files: { ".env/inner": "" } }))).toMatchObject({
      code: "REPLANT_CONFIG_INVALID",
      message: "env file .env cannot be read",
      why: "EISDIR",
    });
  });

  test.skipIf(process.getuid?.() === 0)("is named when its mode forbids it", async () => {
    const root = await tempDir();
    await writeTree(root, { ".env": `DATABASE_URL=${url("app")}` });
    await chmod(`${root}/.env`, 0);
    const config = parseConfig({ migrations: { tool: "prisma", directory: "m" } }, `${root}/replant.config.ts`);
    expect((await refusalOf(() => resolveDatabase({ config, root, env: {} }))).why).toBe("EACCES");
  });
});
