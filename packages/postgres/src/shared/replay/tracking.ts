import type { SqlSession, Table } from "@replant/core";
import { identityColumns } from "@replant/core";
import { quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";

/*
 * What was put into a scratch database, kept in tables of its own, so that migrations, which may end the session's transactions,
 * leave it alone. Tables are known by their OID, which outlives a rename; rows by the text of what identifies them.
 */

export const createTracking = `create schema if not exists replant;
  create table replant.replay_part (entry text primary key, role text not null, relid oid not null, loaded bigint not null,
    old_schema text not null, old_name text not null);
  create table replant.replay_row (relid oid not null, role text not null, key text not null);
  create table replant.replay_carried (part oid not null, place tid not null);
  create table replant.replay_like (plain text not null, pointed text not null);`;

/** A part of the backup, and the table that its rows went into. */
export interface TrackedPart {
  readonly entry: string;
  readonly role: "kept" | "context";
  readonly relid: string;
  readonly loaded: number;
  /** The table's name when the rows came. */
  readonly oldSchema: string;
  readonly oldName: string;
  /** The table's name now; null when it is gone. */
  readonly schema: string | null;
  readonly name: string | null;
}

/** Text that tells a row from all others of its table; null where nothing does. */
export function keySql(table: Table, alias: string): string | null {
  const columns = identityColumns(table);
  return columns === null ? null : `row(${columns.map((name) => `${alias}.${quoteIdent(name)}`).join(", ")})::text`;
}

export function relidSql(table: Table): string {
  return `${quoteLiteral(quoteTable(table))}::regclass::oid`;
}

export async function readParts(session: SqlSession): Promise<TrackedPart[]> {
  const rows = await session.query<Omit<TrackedPart, "loaded"> & { loaded: string }>(
    `select p.entry, p.role, p.relid::text as relid, p.loaded::text as loaded, p.old_schema as "oldSchema", p.old_name as "oldName",
       n.nspname::text as schema, c.relname::text as name
     from replant.replay_part p left join pg_class c on c.oid = p.relid left join pg_namespace n on n.oid = c.relnamespace
     order by p.entry`,
  );
  return rows.map((row) => ({ ...row, loaded: Number(row.loaded) }));
}
