import { tempDir, writeTree } from "@replant/testkit";
import { expect, test } from "vitest";
import { type EnvironmentSignals, guardSignalsFrom, parseConfig, resolveDatabase } from "../src/index.ts";

async function signalsOf(options: {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly yes?: string;
  readonly productionNames?: readonly string[];
}): Promise<EnvironmentSignals> {
  const { env = {}, files = {}, yes = null, productionNames = [] } = options;
  const root = await tempDir();
  await writeTree(root, files);
  const config = parseConfig({ migrations: { tool: "prisma", directory: "m" } }, `${root}/replant.config.ts`);
  return guardSignalsFrom({ env, resolved: await resolveDatabase({ config, root, env }), yes, productionNames });
}

test("a development environment gives none", async () => {
  const env = {
    DATABASE_URL: "postgres://localhost/app",
    NODE_ENV: "development",
    APP_ENV: "preproduction",
    VERCEL_ENV: "preview",
    TITLE: "production",
    CLERK_SECRET_KEY: "sk_test_abc",
    NOTE: "not sk_live_",
    UNSET: undefined,
  };
  expect(await signalsOf({ env, files: { ".env": "NODE_ENV=test\nKEY=pk_test_abc" }, yes: "app" })).toEqual({
    source: "DATABASE_URL of the shell",
    productionVariables: [],
    liveKeys: [],
    consent: "app",
    alternative: null,
  });
});

test.each([
  ["NODE_ENV", "production"],
  ["APP_ENV", "prod"],
  ["VERCEL_ENV", "Production"],
  ["RAILWAY_ENVIRONMENT_NAME", " production "],
  ["NODE_ENV", '"production"'],
])("%s=%s says production", async (name, value) => {
  const said = value.includes("uction") ? "production" : "prod";
  expect((await signalsOf({ env: { [name]: value } })).productionVariables).toEqual([`${name}=${said}`]);
  expect((await signalsOf({ files: { ".env": `A=1\n${name}=${value}` } })).productionVariables).toEqual([
    `${name}=${said} (.env:2)`,
  ]);
});

test.each([
  ["CLERK_SECRET_KEY", "sk_live_s3cret", "CLERK_SECRET_KEY starts with sk_live_"],
  ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "pk_live_s3cret", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY starts with pk_live_"],
  ["ANYTHING", "sk_live_s3cret", "ANYTHING starts with sk_live_"],
  ["QUOTED", "'sk_live_s3cret'", "QUOTED starts with sk_live_"],
  ["\u001b[2J", "sk_live_s3cret", "a variable starts with sk_live_"],
])("%j that holds a live key is named, its value is not", async (name, value, expected) => {
  const signals = await signalsOf({ env: { [name]: value } });
  expect(signals.liveKeys).toEqual([expected]);
  expect(JSON.stringify(signals)).not.toContain("s3cret");
});

test("env files count where the shell says nothing else, each with its line", async () => {
  const files = {
    ".env": "# keys\nCLERK_SECRET_KEY=sk_live_s3cret\nNODE_ENV=production",
    "prisma/.env": "KEY=pk_live_s3cret",
  };
  const found = await signalsOf({ files });
  expect(found).toMatchObject({
    liveKeys: ["CLERK_SECRET_KEY starts with sk_live_ (.env:2)", "KEY starts with pk_live_ (prisma/.env:1)"],
    productionVariables: ["NODE_ENV=production (.env:3)"],
  });
  expect(JSON.stringify(found)).not.toContain("s3cret");
  const overridden = await signalsOf({ files, env: { CLERK_SECRET_KEY: "sk_test_a", NODE_ENV: "test", KEY: " " } });
  expect(overridden).toMatchObject({ liveKeys: ["KEY starts with pk_live_ (prisma/.env:1)"], productionVariables: [] });
});

test.each<[string, readonly string[], readonly string[]]>([
  ["the database", ["APP"], ["guard.productionNames names the database"]],
  ["the host", ["db.example.com"], ["guard.productionNames names the host"]],
  ["neither", ["app2", "example.com"], []],
])("names of the configuration: %s", async (_name, productionNames, expected) => {
  const env = { DATABASE_URL: "postgres://u:p@DB.example.com/App" };
  expect((await signalsOf({ env, productionNames })).productionVariables).toEqual(expected);
});

test("what was probably meant is one line", async () => {
  const env = { DATABASE_URL: "postgres://db.example.com/app" };
  const files = { ".env": "DATABASE_URL=postgres://u:s3cret@localhost:5433/app_dev" };
  expect((await signalsOf({ env, files })).alternative).toBe(".env:1 (localhost:5433/app_dev)");
});
