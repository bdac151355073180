import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { DatabaseRef, Engine, LockHolder, NewDatabase, SqlSession, SwapRequest, SwapResult } from "@replant/core";
import { connect, databaseUrl, dropDatabases, type PostgresMajor, serverUrl, sql } from "@replant/testkit";
import { onTestFinished } from "vitest";
import { openServer, type ServerOptions } from "../../src/server/index.ts";

/** A place of this test alone: a name that no database has yet. All databases whose name begins with it go with the test. */
export interface Place {
  readonly major: PostgresMajor;
  readonly name: string;
  readonly url: string;
  /** An engine that is closed when the test has finished. */
  readonly open: (options?: Partial<ServerOptions>) => Engine;
}

/** `suffix` makes the name as hostile as a test wants it. */
export async function freshPlace(major: PostgresMajor, suffix = ""): Promise<Place> {
  const prefix = `place_${randomBytes(6).toString("hex")}`;
  const name = `${prefix}${suffix}`;
  const url = databaseUrl(await serverUrl(major), name);
  onTestFinished(() => dropDatabases(major, prefix));
  const open = (options: Partial<ServerOptions> = {}): Engine => {
    const engine = openServer({ url, ...options });
    onTestFinished(() => engine.close());
    return engine;
  };
  return { major, name, url, open };
}

/** A place with a live database that has one table `t (id, x)`, and an engine on it. */
export async function livePlace(
  major: PostgresMajor,
  suffix = "",
): Promise<Place & { engine: Engine; live: DatabaseRef }> {
  const place = await freshPlace(major, suffix);
  await sql(await serverUrl(major), `create database ${quote(place.name)} template template0`);
  const engine = place.open();
  const live = await engine.liveRef();
  if (live === null) throw new Error("live was not found");
  await within(engine, live, (session) =>
    session.script("create table t (id int primary key, x text); insert into t values (1, 'live')"),
  );
  return { ...place, engine, live };
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A role with LOGIN that goes with the test, after the databases made later than it. */
export async function freshRole(major: PostgresMajor, attributes = ""): Promise<string> {
  const server = await serverUrl(major);
  const name = `role_${randomBytes(6).toString("hex")}`;
  await sql(server, `create role ${name} login ${attributes}`);
  onTestFinished(async () => void (await sql(server, `drop role ${name}`)));
  return name;
}

/** The same URL for another role. */
export function urlAs(url: string, role: string): string {
  const changed = new URL(url);
  changed.username = role;
  return changed.href;
}

let runs = 0;

export function runId(): string {
  runs += 1;
  return `20261121T101500${String(runs).padStart(3, "0")}Z-${randomBytes(2).toString("hex")}`;
}

export function newDatabase(role: NewDatabase["role"]): NewDatabase {
  return { role, run: runId(), fingerprint: null, createdAt: new Date().toISOString() };
}

export function newHolder(command = "reset"): LockHolder {
  return { run: runId(), command, pid: process.pid, host: hostname(), since: new Date().toISOString() };
}

export function newFingerprint(): string {
  return randomBytes(32).toString("hex");
}

/** Drops the baseline with the test. */
export function disposable(engine: Engine, baseline: DatabaseRef): DatabaseRef {
  onTestFinished(() => engine.drop(baseline));
  return baseline;
}

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

/** A candidate with the table `t (id, x)` and one row. */
export async function candidateWith(engine: Engine, text: string): Promise<DatabaseRef> {
  const candidate = await engine.create(newDatabase("candidate"));
  await within(engine, candidate, async (session) => {
    await session.script("create table t (id int primary key, x text)");
    await session.query("insert into t values (1, $1)", [text]);
  });
  return candidate;
}

export async function swapIn(
  engine: Engine,
  candidate: DatabaseRef,
  { live, fence = null }: Partial<Pick<SwapRequest, "live" | "fence">> = {},
): Promise<SwapResult> {
  const expected = live === undefined ? await engine.liveRef() : live;
  return engine.swap({ candidate, live: expected, fence, run: runId(), at: new Date().toISOString() });
}

/** `t.x` of whatever has this URL's name now. */
export async function textAt(url: string): Promise<string | undefined> {
  return (await sql<{ x: string }>(url, "select x from t"))[0]?.x;
}

export type Client = Awaited<ReturnType<typeof connect>>;

/** A client of an application, ended with the test. */
export async function application(url: string, name = "app"): Promise<Client> {
  const client = await connect(url);
  onTestFinished(() => client.end().catch(() => {}));
  await client.query(`set application_name to '${name}'`);
  return client;
}
