import type { Files } from "@replant/core";
import { ReplantError } from "@replant/core";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openInstance } from "./instance.ts";
import { loadPglite } from "./pglite.ts";
import { readRecord, writeRecord } from "./records.ts";
import { instanceSession } from "./session.ts";
import { syncTree } from "./tree.ts";

/** What an instance of this PGlite says of itself. */
export interface EngineFacts {
  /** Version of the PGlite package: `0.5.16`. */
  readonly pglite: string;
  /** `18.6` */
  readonly version: string;
  readonly major: number;
  readonly encoding: string;
  readonly collation: string;
}

/** An initialised data directory with nothing in it, ready to be copied. */
export interface EmptyDirectory {
  readonly path: string;
  readonly server: EngineFacts;
}

interface EmptyRecord {
  readonly directory: string;
  readonly server: EngineFacts;
}

/** Small WAL segments, because the directory is copied so often. */
const initdbArguments = ["--wal-segsize=1"];

/**
 * The empty data directory of this PGlite version, made by initdb at the first call on this cache (seconds) and found
 * afterwards. Several processes may make it at once; each leaves a complete one.
 */
export async function emptyDirectory(files: Files, cacheDirectory: string): Promise<EmptyDirectory> {
  const { version } = await loadPglite();
  const record = join(cacheDirectory, `empty-${version}.json`);
  const found = await readEmpty(files, cacheDirectory, record);
  if (found !== null) return found;
  await files.makeDirectory(cacheDirectory);
  await removeAbandoned(files, cacheDirectory);
  const name = `empty-${version}-${randomBytes(6).toString("hex")}`;
  const temporary = join(cacheDirectory, `${name}.${process.pid}.tmp`);
  const server = await initialise(temporary, version);
  const other = await readEmpty(files, cacheDirectory, record);
  if (other !== null) {
    await files.remove(temporary);
    return other;
  }
  await files.rename(temporary, join(cacheDirectory, name));
  await writeRecord(files, record, { directory: name, server } satisfies EmptyRecord);
  return { path: join(cacheDirectory, name), server };
}

async function readEmpty(files: Files, cacheDirectory: string, path: string): Promise<EmptyDirectory | null> {
  const record = await readRecord(files, path, (value) =>
    typeof value.directory === "string" && typeof value.server === "object" ? (value as unknown as EmptyRecord) : null,
  );
  const directory = record === null ? null : join(cacheDirectory, record.directory);
  return record === null || directory === null || !existsSync(directory)
    ? null
    : { path: directory, server: record.server };
}

async function initialise(directory: string, pglite: string): Promise<EngineFacts> {
  const instance = await openInstance({
    directory,
    scratch: `${directory}.copy`,
    durable: false,
    extensions: [],
    initdb: initdbArguments,
  });
  try {
    const session = await instanceSession(instance, "postgres", async () => undefined);
    // An instance serves one database and no other can be reached, so two thirds of each copy would be dead weight.
    await session.script(
      "update pg_database set datistemplate = false, datallowconn = true where datname like 'template_'",
    );
    await session.script("drop database template0");
    await session.script("drop database template1");
    const [facts] = await session.query<Omit<EngineFacts, "major" | "pglite"> & { number: number }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
         pg_encoding_to_char(encoding)::text as encoding, datcollate as collation
       from pg_database where datname = current_database()`,
    );
    if (facts === undefined) throw new Error("the new data directory has no database");
    const { number, ...rest } = facts;
    return { ...rest, pglite, major: Math.trunc(number / 10_000) };
  } finally {
    await instance.close();
    syncTree(directory);
  }
}

/** What processes left behind that were killed while they ran initdb. */
async function removeAbandoned(files: Files, cacheDirectory: string): Promise<void> {
  for (const { name } of await files.list(cacheDirectory)) {
    const pid = /^empty-.*\.(\d+)\.tmp(?:\.copy)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await files.remove(join(cacheDirectory, name));
  }
}

/** True when a process of that number exists on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/**
 * Reads PG_VERSION before anything is opened: PGlite would only say that it failed to initialise.
 * @throws ReplantError REPLANT_EMBEDDED_VERSION | REPLANT_CONNECTION_FAILED
 */
export function requireMajor(directory: string, { major, pglite }: EngineFacts): void {
  let found: string;
  try {
    found = readFileSync(join(directory, "PG_VERSION"), "utf8").trim();
  } catch (cause) {
    throw new ReplantError("REPLANT_CONNECTION_FAILED", `${directory} is not a data directory`, {
      where: directory,
      why: "it has no readable PG_VERSION",
      hint: "replant undo, or replant restore latest",
      cause,
    });
  }
  if (found === String(major)) return;
  throw new ReplantError(
    "REPLANT_EMBEDDED_VERSION",
    `the embedded database was written by PostgreSQL ${found}, not ${major}`,
    {
      where: directory,
      why: `PGlite ${pglite} is PostgreSQL ${major}, and no major version reads the files of another`,
      state: "nothing was opened or changed",
      hint: `install the version of @electric-sql/pglite that this database was made with and run replant backup; then install ${pglite} again, move the directory away, and run replant restore latest`,
    },
  );
}

/** The system identifier of a data directory, as `pg_control_system()` prints it. */
export function systemIdentifier(directory: string): string {
  return readFileSync(join(directory, "global", "pg_control"))
    .readBigUInt64LE(0)
    .toString();
}
