import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseRef, Engine, LockHolder, ManagedDatabase, NewDatabase, SqlSession } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { imageDirectory } from "@replant/testkit";
import { onTestFinished } from "vitest";
import { openEmbedded, preferQuickStart, type EmbeddedOptions } from "../../src/embedded/index.ts";

await preferQuickStart();

/** Baselines in it are told apart by their run. */
export const sharedCache = imageDirectory();

/** Options for a database directory of this test alone. */
export function freshOptions(): EmbeddedOptions {
  const directory = mkdtempSync(join(tmpdir(), "replant-embedded-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return { directory: join(directory, "app"), name: "app", files: nodeFiles(), cacheDirectory: sharedCache };
}

/** An engine that is closed when the test ends, before its directory is removed. */
export function engineOn(options: EmbeddedOptions): Engine {
  const engine = openEmbedded(options);
  onTestFinished(() => engine.close());
  return engine;
}

let runs = 0;

export function runId(): string {
  runs += 1;
  return `20261121T101500${String(runs).padStart(3, "0")}Z-${process.pid}`;
}

export function newDatabase(role: NewDatabase["role"], run = runId()): NewDatabase {
  return { role, run, fingerprint: null, createdAt: new Date().toISOString() };
}

export function holder(command = "reset"): LockHolder {
  return { run: runId(), command, pid: process.pid, host: hostname(), since: new Date().toISOString() };
}

/** Runs `work` in a session that is closed afterwards. */
export async function within<T>(
  engine: Engine,
  database: DatabaseRef,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  const session = await engine.connect(database);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** A live database with one table `t (id, x)` that holds this text, in a fresh directory. */
export async function liveWith(engine: Engine, text: string): Promise<DatabaseRef> {
  const candidate = await candidateWith(engine, text);
  await swapIn(engine, candidate);
  return candidate;
}

export async function candidateWith(engine: Engine, text: string): Promise<DatabaseRef> {
  const candidate = await engine.create(newDatabase("candidate"));
  await within(engine, candidate, async (session) => {
    await session.script("create table t (id int primary key, x text)");
    await session.query("insert into t values (1, $1)", [text]);
  });
  return candidate;
}

export async function swapIn(engine: Engine, candidate: DatabaseRef): Promise<DatabaseRef | null> {
  const live = await engine.liveRef();
  return (await engine.swap({ candidate, live, fence: null, run: runId(), at: new Date().toISOString() })).previous;
}

export async function liveText(engine: Engine): Promise<string | undefined> {
  const live = await engine.liveRef();
  if (live === null) return undefined;
  return within(engine, live, async (session) => (await session.query<{ x: string }>("select x from t"))[0]?.x);
}

/** All of a COPY. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

/** Without the baselines, which the tests that run at the same time make in the same cache. */
export async function ownDatabases(engine: Engine): Promise<ManagedDatabase[]> {
  return (await engine.managed()).filter(({ role }) => role !== "baseline");
}

/** Seals, and drops the baseline when the test ends. */
export async function sealed(engine: Engine, building: DatabaseRef): Promise<DatabaseRef> {
  const baseline = await engine.seal(building, randomBytes(32).toString("hex"));
  onTestFinished(() => engine.drop(baseline));
  return baseline;
}
