import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDatabase, databaseNames, serverUrl, sql, tempDir, writeTree } from "@replant/testkit";
import { expect, onTestFinished, test } from "vitest";
import { prismaDirectory } from "./history.ts";
import { prismaCli } from "./prisma-cli.ts";

/** A Prisma project with its own history, which a test may spoil, and an empty database. */
async function project(): Promise<{ cwd: string; url: string }> {
  const database = await createDatabase(18);
  onTestFinished(() => database.drop());
  const cwd = await tempDir();
  cpSync(join(prismaDirectory, "schema.prisma"), join(cwd, "schema.prisma"));
  cpSync(join(prismaDirectory, "migrations"), join(cwd, "migrations"), { recursive: true });
  await writeTree(cwd, {
    "prisma.config.ts": `export default {
      schema: "schema.prisma", migrations: { path: "migrations" }, datasource: { url: process.env["DATABASE_URL"] },
    };`,
  });
  return { cwd, url: database.url };
}

test("a migration that fails is reported in the server's words, and then holds up the next deploy", async () => {
  const { cwd, url } = await project();
  await writeTree(cwd, {
    "migrations/20990101000000_broken/migration.sql": "CREATE TABLE half (id int); SELECT missing FROM half;",
  });
  const deploy = await prismaCli(["migrate", "deploy"], { cwd, url });
  expect(deploy.code).toBe(1);
  expect(deploy.stderr).toContain('ERROR: column "missing" does not exist (SQLSTATE 42703)');
  expect(deploy.stderr).toContain("20990101000000_broken");
  expect(await sql(url, "select to_regclass('half') is null as rolled_back")).toEqual([{ rolled_back: true }]);
  expect((await prismaCli(["migrate", "deploy"], { cwd, url })).stderr).toContain("P3009");
});

test("a changed schema becomes a migration, and a changed migration is noticed", async () => {
  const { cwd, url } = await project();
  expect(await prismaCli(["migrate", "deploy"], { cwd, url })).toMatchObject({ code: 0 });
  const schema = join(cwd, "schema.prisma");
  writeFileSync(schema, readFileSync(schema, "utf8").replace("model Session {", "model Session {\n  label String?"));
  expect(await prismaCli(["migrate", "dev", "--name", "label"], { cwd, url })).toMatchObject({ code: 0 });
  const made = readdirSync(join(cwd, "migrations")).find((name) => name.endsWith("_label")) ?? "";
  const script = join(cwd, "migrations", made, "migration.sql");
  expect(readFileSync(script, "utf8")).toContain('ALTER TABLE "sessions" ADD COLUMN     "label" TEXT;');
  expect(await sql(url, "select label from sessions")).toEqual([]);

  appendFileSync(script, "-- changed\n");
  const dev = await prismaCli(["migrate", "dev"], { cwd, url });
  expect(dev.code).toBe(130);
  expect(dev.stdout + dev.stderr).toContain(`The migration \`${made}\` was modified after it was applied.`);
  expect(await databaseNames(18, "prisma_migrate_shadow")).toEqual([]);
});

test("the codes of a missing database, a wrong user and a server that is not there", async () => {
  const server = new URL(await serverUrl(15));
  const statusAt = async (change: (url: URL) => void): Promise<string> => {
    const url = new URL(server);
    change(url);
    const { code, stderr } = await prismaCli(["migrate", "status"], { url: url.href });
    expect(code).toBe(1);
    expect(stderr).not.toContain("s3cret");
    return stderr;
  };
  expect(await statusAt((url) => (url.pathname = "/not_there"))).toContain(
    "P1003: Database `not_there` does not exist",
  );
  expect(await statusAt((url) => ([url.username, url.password] = ["nobody", "s3cret"]))).toMatch(/P1000|P1010/);
  expect(await statusAt((url) => (url.port = "1"))).toContain(
    `P1001: Can't reach database server at \`${server.hostname}:1\``,
  );
});

test("the engine starts as a program of its own", () => {
  const shim = join(prismaDirectory, "engine", "shim.ts");
  expect(execFileSync(process.execPath, [shim, "--version"], { encoding: "utf8" })).toMatch(
    /^schema-engine-cli [0-9a-f]{40}\n$/,
  );
});
