import { join } from "node:path";
import type { Engine, SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { openEmbedded, preferQuickStart } from "@replant/postgres/embedded";
import { openServer } from "@replant/postgres/server";
import { createDatabase, imageDirectory, tempDir } from "@replant/testkit";
import { onTestFinished } from "vitest";

/** Where tests run: each `open` is a session on an empty database of the test's own, gone when the test has ended. */
export const databases: readonly { readonly engine: string; readonly open: () => Promise<SqlSession> }[] = [
  { engine: "postgres 15", open: () => serverSession(15) },
  { engine: "postgres 18", open: () => serverSession(18) },
  { engine: "pglite", open: embeddedSession },
];

export async function serverSession(major: 15 | 18): Promise<SqlSession> {
  const database = await createDatabase(major);
  onTestFinished(() => database.drop());
  return sessionOn(database.url);
}

/** A session on an existing database. */
export async function sessionOn(url: string): Promise<SqlSession> {
  const engine = closing(openServer({ url }));
  const live = await engine.liveRef();
  if (live === null) throw new Error("the database is not there");
  return engine.connect(live);
}

async function embeddedSession(): Promise<SqlSession> {
  await preferQuickStart();
  const directory = join(await tempDir(), "app");
  const engine = closing(
    openEmbedded({ directory, name: "app", files: nodeFiles(), cacheDirectory: imageDirectory() }),
  );
  const made = { role: "candidate", run: "20261121T101500000Z-0000", fingerprint: null } as const;
  return engine.connect(await engine.create({ ...made, createdAt: new Date().toISOString() }));
}

function closing(engine: Engine): Engine {
  onTestFinished(() => engine.close());
  return engine;
}
