import type { SqlSession } from "@replant/core";
import { quoteIdent, quoteLiteral } from "../shared/quote.ts";

/** What belongs to the database as a whole and no migration makes: `ALTER DATABASE … SET` and its comment. */
export interface DatabaseProperties {
  /** `name=value`, as the catalog holds them. */
  readonly settings: readonly string[];
  readonly comment: string | null;
}

/** The properties of live, or null when there are none, which is the rule. Ends a transaction that is open. */
export async function readProperties(session: SqlSession): Promise<DatabaseProperties | null> {
  await session.script("rollback");
  const [row] = await session.query<{ settings: string[] | null; comment: string | null }>(
    `select (select s.setconfig from pg_db_role_setting s where s.setdatabase = d.oid and s.setrole = 0) as settings,
       shobj_description(d.oid, 'pg_database') as comment
     from pg_database d where d.datname = current_database()`,
  );
  const settings = row?.settings ?? [];
  const comment = row?.comment ?? null;
  return settings.length === 0 && comment === null ? null : { settings, comment };
}

/**
 * Puts them on another database; where both have a setting, live's wins. Settings go into the catalog as they are: written as
 * SQL, a list such as search_path would have to be taken apart and quoted again.
 */
export async function applyProperties(session: SqlSession, { settings, comment }: DatabaseProperties): Promise<void> {
  const names = settings.map((setting) => setting.slice(0, setting.indexOf("=")));
  await session.query(
    `with own as (
       delete from pg_db_role_setting using pg_database d
       where setdatabase = d.oid and d.datname = current_database() and setrole = 0 returning setconfig
     ), merged as (
       select array(select c from own, unnest(own.setconfig) c where split_part(c, '=', 1) <> all ($1::text[])) || $2::text[] as config
     )
     insert into pg_db_role_setting (setdatabase, setrole, setconfig)
     select d.oid, 0, merged.config from pg_database d, merged where d.datname = current_database() and cardinality(merged.config) > 0`,
    [names, settings],
  );
  if (comment === null) return;
  const [row] = await session.query<{ name: string }>("select current_database() as name");
  await session.script(`comment on database ${quoteIdent(row?.name ?? "")} is ${quoteLiteral(comment)}`);
}
