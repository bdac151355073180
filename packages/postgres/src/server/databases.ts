import type { DatabaseRef, ManagedDatabase, SqlSession } from "@replant/core";
import { sqlState } from "@replant/core";
import { quoteIdent } from "../shared/quote.ts";
import { halfMadeLimit, invalidLimit, type Mark, parseMark } from "./marks.ts";
import { isSiblingName } from "./names.ts";

/** A database as the server lists it. */
export interface DatabaseRow extends DatabaseRef {
  readonly comment: string | null;
  readonly mark: Mark | null;
  readonly connectionLimit: number;
  readonly template: boolean;
  /** True when we may copy it. */
  readonly copyable: boolean;
}

const rowsSql = `
select d.oid::text as id, d.datname::text as name, c.description as comment, d.datconnlimit as "connectionLimit",
  d.datistemplate as template,
  pg_has_role(d.datdba, 'USAGE') or d.datistemplate and r.rolcreatedb as copyable
from pg_database d
  left join pg_shdescription c on c.classoid = 'pg_database'::regclass and c.objoid = d.oid
  join pg_roles r on r.rolname = current_user`;

async function readRows(session: SqlSession, condition: string, params: readonly unknown[]): Promise<DatabaseRow[]> {
  const rows = await session.query<Omit<DatabaseRow, "mark">>(`${rowsSql} where ${condition}`, params);
  return rows.map((row) => ({ ...row, mark: parseMark(row.comment) }));
}

export async function findDatabase(session: SqlSession, name: string): Promise<DatabaseRow | null> {
  return (await readRows(session, "d.datname = $1", [name]))[0] ?? null;
}

/** True for a database that a run died over before it could mark it. Call it only while holding the lock of `live`. */
export function isHalfMade(row: DatabaseRow, live: string): boolean {
  return row.connectionLimit === halfMadeLimit && row.mark === null && isSiblingName(row.name, live);
}

/** Our databases for `live`, and all baselines that we may copy; oldest first. */
export async function managedDatabases(session: SqlSession, live: string): Promise<ManagedDatabase[]> {
  const rows = await readRows(session, `c.description like '{"replant":1,%' or d.datconnlimit = $1`, [halfMadeLimit]);
  const managed: ManagedDatabase[] = [];
  for (const row of rows) {
    const found = asManaged(row, live);
    if (found !== null) managed.push(found);
  }
  return managed.sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.name, b.name));
}

function asManaged(row: DatabaseRow, live: string): ManagedDatabase | null {
  const { id, name, mark } = row;
  if (mark === null) {
    // Whoever made it has not told its run; nothing else of the mark matters for what can only be dropped.
    if (!isHalfMade(row, live)) return null;
    return { id, name, role: "building", live, run: "", fingerprint: null, createdAt: new Date(0).toISOString() };
  }
  const { original: _, ...facts } = mark;
  const managed = { id, name, ...facts };
  if (row.connectionLimit === invalidLimit) return mark.live === live ? { ...managed, role: "building" } : null;
  if (mark.role === "baseline") return row.copyable ? managed : null;
  return mark.live === live && name !== live ? managed : null;
}

/** 0 where we may not ask, for what has gone or been replaced, and for what is being dropped meanwhile. */
export async function sizeOf(session: SqlSession, { name, id }: DatabaseRef): Promise<number> {
  const rows = await session
    .query<{ size: string | null }>(
      "select pg_database_size(oid)::text as size from pg_database where oid = $1::oid and datname = $2",
      [id, name],
    )
    .catch(() => []);
  return Number(rows[0]?.size ?? 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Drops a database and ends its sessions. The caller has made sure that it is ours. */
export async function dropRow(session: SqlSession, row: DatabaseRow): Promise<void> {
  const name = quoteIdent(row.name);
  // A template cannot be dropped; a half-dropped database cannot be altered.
  if (row.template && row.connectionLimit !== invalidLimit)
    await session.script(`alter database ${name} is_template false`);
  await session.script(`drop database if exists ${name} with (force)`).catch(async (error: unknown) => {
    // The server's own workers may not be ended by everybody; without force it sends them away itself, and waits.
    if (sqlState(error) !== "42501") throw error;
    await session.script(`drop database if exists ${name}`);
  });
}
