import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { openEmbedded } from "@replant/postgres/embedded";
import { connect, createDatabase, tempDir } from "@replant/testkit";
import { onTestFinished } from "vitest";

/** Where the tests of this package run: a name for the test, and an empty database of its own, closed when the test ends. */
export const databases: readonly { readonly engine: string; readonly open: () => Promise<SqlSession> }[] = [
  { engine: "postgres 15", open: () => openServer(15) },
  { engine: "postgres 18", open: () => openServer(18) },
  { engine: "pglite", open: openPglite },
];

export async function openServer(major: 15 | 18): Promise<SqlSession> {
  const database = await createDatabase(major);
  const session = await sessionOn(database.url, database.name);
  onTestFinished(() => database.drop());
  return session;
}

export async function sessionOn(url: string, name: string): Promise<SqlSession> {
  const client = await connect(url);
  onTestFinished(() => client.end());
  return {
    database: name,
    query: async (sql: string, params?: readonly unknown[]) =>
      (await client.query(sql, params && [...params])).rows as never,
    script: async (sql) => void (await client.query(sql)),
    copyOut: () => {
      throw new Error("not here");
    },
    copyIn: () => {
      throw new Error("not here");
    },
    close: () => client.end(),
  };
}

async function openPglite(): Promise<SqlSession> {
  const engine = openEmbedded({
    directory: join(await tempDir(), "app"),
    name: "app",
    files: nodeFiles(),
    // initdb takes seconds; the empty directory is made once per machine.
    cacheDirectory: join(tmpdir(), "replant-test-pglite"),
  });
  onTestFinished(() => engine.close());
  const database = { role: "candidate", run: "20261121T101500000Z-0000", fingerprint: null } as const;
  return engine.connect(await engine.create({ ...database, createdAt: new Date().toISOString() }));
}
