import { sqlState } from "@replant/core";
import type { PgSession } from "./session.ts";
import { unsignalable } from "./sessions.ts";

/** Below this DROP DATABASE cannot end sessions. */
const versionMin = 130_000;

export interface BlockerQuestion {
  /** OID of live, null when there is none. */
  readonly id: string | null;
  /** Name of live. */
  readonly database: string;
  /** Why the maintenance database cannot be reached, if so. */
  readonly unreachable: Error | null;
}

/** Why live cannot be swapped in one transaction here, one line each; empty when it can. Reads only. */
export async function swapBlockers(session: PgSession, question: BlockerQuestion): Promise<string[]> {
  const { id, unreachable } = question;
  const server = await serverBlockers(session);
  const lines = [
    ...(unreachable === null ? [] : [`no maintenance database can be reached: ${unreachable.message}`]),
    ...(session.direct ? [] : ["a transaction pooler stands between Replant and the server"]),
    ...server,
  ];
  if (id === null) return lines;
  const sessions = await unsignalable(session, [id]);
  return [
    ...lines,
    ...(await contentBlockers(session, question)),
    ...(await settingBlockers(session, id)),
    ...sessions.map((line) => `a session on live cannot be ended by this user: ${line}`),
  ];
}

async function serverBlockers(session: PgSession): Promise<string[]> {
  const [row] = await session.query<{ version: number; standby: boolean; create: boolean; user: string }>(
    `select current_setting('server_version_num')::int as version, pg_is_in_recovery() as standby,
       rolcreatedb or rolsuper as create, rolname::text as user from pg_roles where rolname = current_user`,
  );
  if (row === undefined) return [];
  return [
    ...(row.version < versionMin ? ["the server is older than PostgreSQL 13"] : []),
    ...(row.standby ? ["the server is a standby and takes no writes"] : []),
    ...(row.create ? [] : [`user "${row.user}" may not create databases (CREATEDB)`]),
  ];
}

/** Things inside the server that belong to live by its OID and would stay with the old database, or keep it from being renamed. */
const contentSql = `
select format('user "%s" does not own it: the owner is "%s"', current_user, pg_get_userbyid(d.datdba)) as line
from pg_database d where d.oid = $1::oid and not pg_has_role(d.datdba, 'USAGE')
union all select format('it is in tablespace "%s", where user "%s" may not create', t.spcname, current_user)
from pg_database d join pg_tablespace t on t.oid = d.dattablespace
where d.oid = $1::oid and t.spcname <> 'pg_default' and not has_tablespace_privilege(t.oid, 'CREATE')
union all select format('logical replication slot "%s" reads it', slot_name) from pg_replication_slots where datoid = $1::oid
union all select format('subscription "%s" writes to it', subname) from pg_subscription where subdbid = $1::oid
union all select format('prepared transaction "%s" is open in it', gid) from pg_prepared_xacts where database = $2`;

async function contentBlockers(session: PgSession, { id, database }: BlockerQuestion): Promise<string[]> {
  const rows = await session.query<{ line: string }>(contentSql, [id, database]);
  return rows.map(({ line }) => line);
}

/** Settings of live that we may not give to its successor. */
const settingsSql = `
select format('the settings of role "%s" in this database can be copied by a superuser only', pg_get_userbyid(s.setrole)) as line
from pg_db_role_setting s where s.setdatabase = $1::oid and s.setrole <> 0 and pg_get_userbyid(s.setrole) <> current_user
union all
select format('the setting %s of this database can be copied by a superuser only', name)
from (select split_part(v, '=', 1) as name from pg_db_role_setting s, unnest(s.setconfig) v where s.setdatabase = $1::oid) s
where name not like '%.%' and not may_set(name)
  and not exists (select from pg_settings g where lower(g.name) = lower(s.name) and g.context in ('user', 'backend'))
union all
select distinct format('privileges on it that "%s" has granted can be copied by a member of that role only', pg_get_userbyid(a.grantor))
from pg_database d, aclexplode(d.datacl) a where d.oid = $1::oid and a.grantor <> d.datdba and not pg_has_role(a.grantor, 'MEMBER')`;

async function settingBlockers(session: PgSession, id: string): Promise<string[]> {
  const [me] = await session.query<{ superuser: boolean; version: number }>(
    `select rolsuper as superuser, current_setting('server_version_num')::int as version from pg_roles where rolname = current_user`,
  );
  if (me === undefined || me.superuser) return [];
  // Single settings can be granted since PostgreSQL 15.
  const maySet = me.version < 150_000 ? "false" : "has_parameter_privilege(name, 'SET')";
  try {
    const rows = await session.query<{ line: string }>(settingsSql.replace("may_set(name)", maySet), [id]);
    return rows.map(({ line }) => line);
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return ["the settings of this database cannot be read completely by this user"];
  }
}
