import type { AppliedMigration, MigrationRecord, SqlSession } from "@replant/core";
import { ReplantError } from "@replant/core";

const table = `public."_prisma_migrations"`;

/** Every record of Prisma's state table, oldest first; none when the table does not exist. */
export async function readRecords(session: SqlSession): Promise<MigrationRecord[]> {
  if (!(await stateTableExists(session))) return [];
  const rows = await session.query<{ name: string; checksum: string; finished: boolean; rolled_back: boolean }>(
    `select migration_name as name, checksum, finished_at is not null as finished, rolled_back_at is not null as rolled_back
       from ${table} order by started_at, migration_name`,
  );
  return rows.map(({ name, checksum, finished, rolled_back }) => ({
    name,
    checksum,
    state: rolled_back ? "rolled-back" : finished ? "applied" : "failed",
  }));
}

/**
 * Creates the state table as Prisma does. A database that has tables but no record is not taken for an empty one, as in
 * Prisma: the first migration would fail in the middle of somebody's schema.
 * @throws ReplantError REPLANT_MIGRATION_HISTORY
 */
export async function ensureStateTable(session: SqlSession): Promise<void> {
  if (await stateTableExists(session)) return;
  const foreign = await session.query<{ name: string }>(
    `select c.relname as name from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
        and not exists (select 1 from pg_depend d
                         where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
      order by c.relname limit 5`,
  );
  if (foreign.length > 0) {
    throw new ReplantError(
      "REPLANT_MIGRATION_HISTORY",
      `database "${session.database}" has tables but no record of its migrations`,
      {
        items: foreign.map((row) => row.name),
        hint: `reset the database, or say which migrations it has: prisma migrate resolve --applied "<migration>"`,
      },
    );
  }
  await session.script(
    `create table ${table} (
       id varchar(36) primary key not null,
       checksum varchar(64) not null,
       finished_at timestamptz,
       migration_name varchar(255) not null,
       logs text,
       rolled_back_at timestamptz,
       started_at timestamptz not null default now(),
       applied_steps_count integer not null default 0
     )`,
  );
}

/** Written before the file runs, so that a crash leaves the record of an unfinished migration. Returns the record's id. */
export async function markStarted(session: SqlSession, file: AppliedMigration): Promise<string> {
  const [row] = await session.query<{ id: string }>(
    `insert into ${table} (id, checksum, started_at, migration_name)
     values (gen_random_uuid()::text, $1, now(), $2) returning id`,
    [file.checksum, file.name],
  );
  if (row === undefined) throw new Error("the server returned no id for a record that it wrote");
  return row.id;
}

/**
 * Prisma's two writes. Both in one transaction means that the file opened one and never ended it: nothing of it, nor of any
 * later file, would ever be committed.
 */
export async function markFinished(session: SqlSession, id: string): Promise<void> {
  const first = await write(session, "applied_steps_count = applied_steps_count + 1", [id]);
  const second = await write(session, "finished_at = now()", [id]);
  if (first === second) throw new Error("the migration begins a transaction that it does not end");
}

export async function markFailed(session: SqlSession, id: string, logs: string): Promise<void> {
  await write(session, "logs = $2", [id, logs]);
}

/** Returns the transaction of the write. */
async function write(session: SqlSession, assignment: string, params: readonly unknown[]): Promise<string | undefined> {
  const rows = await session.query<{ transaction: string }>(
    `update ${table} set ${assignment} where id = $1 returning pg_current_xact_id()::text as transaction`,
    params,
  );
  return rows[0]?.transaction;
}

async function stateTableExists(session: SqlSession): Promise<boolean> {
  const [row] = await session.query<{ there: boolean }>("select to_regclass($1) is not null as there", [table]);
  return row?.there === true;
}
