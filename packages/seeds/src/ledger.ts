import type { SqlSession } from "@replant/core";

/** One line of the ledger: the last time that a seed ran on this database. */
export interface LedgerEntry {
  readonly name: string;
  readonly set: string;
  /** Of the files that the seed consisted of. */
  readonly fingerprint: string;
  readonly rows: number;
}

/** Creates the ledger where it is missing. Looked up first: a role may write into a schema that it may not create. */
export async function ensureLedger(session: SqlSession): Promise<void> {
  const [row] = await session.query<{ there: boolean }>(
    "select to_regclass('replant.applied_seeds') is not null as there",
  );
  if (row?.there === true) return;
  await session.script(
    `create schema if not exists replant;
     create table if not exists replant.applied_seeds (
       name text primary key,
       set_name text not null,
       fingerprint text not null,
       rows bigint not null,
       applied_at timestamptz not null default now()
     )`,
  );
}

export async function recordSeed(session: SqlSession, { name, set, fingerprint, rows }: LedgerEntry): Promise<void> {
  await session.query(
    `insert into replant.applied_seeds (name, set_name, fingerprint, rows) values ($1, $2, $3, $4)
     on conflict (name) do update set
       set_name = excluded.set_name, fingerprint = excluded.fingerprint, rows = excluded.rows, applied_at = now()`,
    [name, set, fingerprint, rows],
  );
}
