import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { killGroup, type PostgresServer, sql, startNode, startPostgres, tempDir } from "../src/index.ts";

async function started(...[major, options]: Parameters<typeof startPostgres>): Promise<PostgresServer> {
  const server = await startPostgres(major, options);
  onTestFinished(() => server.stop());
  return server;
}

async function setting(url: string, name: string): Promise<string | undefined> {
  const [row] = await sql<{ value: string }>(url, "select current_setting($1) as value", [name]);
  return row?.value;
}

async function refuses(url: string): Promise<boolean> {
  return sql(url, "select").then(
    () => false,
    (error: unknown) => error instanceof Error && "code" in error && error.code === "ECONNREFUSED",
  );
}

describe.each([15, 18] as const)("a server %i of one's own", (major) => {
  test("keeps acknowledged rows over a SIGKILL of all its processes", async () => {
    const server = await started(major, { fsync: true });
    const url = server.url();
    expect(await setting(url, "fsync")).toBe("on");
    await sql(url, "create table kept as select generate_series(1, 1000) as id");
    const session = new Client(url);
    session.on("error", () => {});
    await session.connect();
    await server.kill();
    await expect(session.query("select 1")).rejects.toThrow(/terminat|not queryable/i);
    expect(await refuses(url)).toBe(true);
    await server.restart();
    expect(server.url()).toBe(url);
    expect(await sql(url, "select count(*)::int as n from kept")).toEqual([{ n: 1000 }]);
  });
});

test("a server takes settings and can be restarted in order, on the same port", async () => {
  const server = await started(15, { settings: { max_connections: "7", wal_level: "logical" } });
  expect(await setting(server.url(), "fsync")).toBe("off");
  expect(await setting(server.url(), "max_connections")).toBe("7");
  await sql(server.url(), 'create database "odd name%"');
  await server.restart();
  expect(await sql(server.url("odd name%"), "select current_database()::text as name")).toEqual([
    { name: "odd name%" },
  ]);
  expect(await setting(server.url(), "wal_level")).toBe("logical");
});

test("a stopped server leaves no directory, and stopping twice is harmless", async () => {
  const server = await started(15);
  const directory = join((await setting(server.url(), "data_directory")) ?? "", "..");
  expect(existsSync(directory)).toBe(true);
  await Promise.all([server.stop(), server.stop()]);
  expect(existsSync(directory)).toBe(false);
  expect(await refuses(server.url())).toBe(true);
});

test("a server that does not start says why and leaves no directory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "replant-test-start-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  // As root, the unprivileged user of the server must be able to enter it.
  await chmod(directory, 0o755);
  vi.stubEnv("TMPDIR", directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(startPostgres(15, { settings: { shared_buffers: "none" } })).rejects.toThrow(/shared_buffers/);
  const left = await readdir(directory);
  expect(left.filter((name) => !name.startsWith("replant-postgres-15"))).toEqual([]);
});

test("a server ends, and its directory goes, after its parent was killed", async () => {
  const parent = startNode(join(import.meta.dirname, "fixtures", "own-server.ts"), [], { cwd: await tempDir() });
  await vi.waitFor(() => expect(parent.seen().stdout).toContain("\n"), { timeout: 60_000 });
  const url = parent.seen().stdout.trim();
  const directory = join((await setting(url, "data_directory")) ?? "", "..");
  expect(existsSync(directory)).toBe(true);
  killGroup(parent.child);
  expect((await parent.done).signal).toBe("SIGKILL");
  await vi.waitFor(() => expect(existsSync(directory)).toBe(false), { timeout: 60_000 });
  expect(await refuses(url)).toBe(true);
});
