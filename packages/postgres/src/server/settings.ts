import type { SqlSession } from "@replant/core";
import { doBlock, quoteIdent, quoteLiteral } from "../shared/quote.ts";

/** One privilege on the database. `grantee` null is PUBLIC. */
interface Grant {
  readonly grantor: string;
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** What `ALTER DATABASE … SET` (role null) or `ALTER ROLE … IN DATABASE … SET` stored, as `name=value`, in its order. */
interface RoleSettings {
  readonly role: string | null;
  readonly values: readonly string[];
}

/** What belongs to a database but not to its content: RENAME leaves it behind, TEMPLATE does not copy it. */
export interface DatabaseSettings {
  readonly owner: string;
  readonly connectionLimit: number;
  readonly template: boolean;
  readonly connections: boolean;
  readonly grants: readonly Grant[];
  readonly settings: readonly RoleSettings[];
}

/** A jsonb of `DatabaseSettings`, equal exactly when the settings are. `id` is SQL for the OID. */
function settingsExpression(id: string): string {
  return `(select jsonb_build_object(
    'owner', pg_get_userbyid(d.datdba), 'connectionLimit', d.datconnlimit, 'template', d.datistemplate,
    'connections', d.datallowconn,
    'grants', (select coalesce(jsonb_agg(g.item order by g.item), '[]') from (
      select jsonb_build_object('grantor', pg_get_userbyid(a.grantor),
        'grantee', case when a.grantee <> 0 then pg_get_userbyid(a.grantee) end,
        'privilege', a.privilege_type, 'grantable', a.is_grantable) as item
      from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a) g),
    'settings', (select coalesce(jsonb_agg(s.item order by s.item), '[]') from (
      select jsonb_build_object('role', case when r.setrole <> 0 then pg_get_userbyid(r.setrole) end,
        'values', to_jsonb(r.setconfig)) as item
      from pg_db_role_setting r where r.setdatabase = d.oid) s))
    from pg_database d where d.oid = ${id})`;
}

/** The settings of the database with this OID, or null when there is none. */
export async function readSettings(session: SqlSession, id: string): Promise<DatabaseSettings | null> {
  const rows = await session.query<{ settings: DatabaseSettings | null }>(
    `select ${settingsExpression("$1::oid")} as settings`,
    [id],
  );
  return rows[0]?.settings ?? null;
}

/** A statement that fails unless both databases have the same settings. */
export function assertSameSettings(id: string, otherId: string): string {
  const [one, other] = [id, otherId].map((oid) => settingsExpression(quoteLiteral(oid).trim()));
  return doBlock(`begin if ${one} is distinct from ${other} then
    raise exception 'the settings of the database were not copied completely'; end if; end`);
}

/** Statements that give database `name`, whose settings are `current`, those of `wanted`. */
export function renderSettings(
  name: string,
  { wanted, current }: { wanted: DatabaseSettings; current: DatabaseSettings },
): string[] {
  const database = quoteIdent(name);
  return [
    ...(wanted.owner === current.owner ? [] : [`alter database ${database} owner to ${quoteIdent(wanted.owner)}`]),
    ...renderOptions(database, wanted, current),
    ...renderGrants(database, wanted, current),
    ...renderRoleSettings(database, wanted.settings, current.settings),
  ];
}

function renderOptions(database: string, wanted: DatabaseSettings, current: DatabaseSettings): string[] {
  const options: string[] = [];
  if (wanted.connectionLimit !== current.connectionLimit) options.push(`connection limit ${wanted.connectionLimit}`);
  if (wanted.template !== current.template) options.push(`is_template ${wanted.template}`);
  if (wanted.connections !== current.connections) options.push(`allow_connections ${wanted.connections}`);
  return options.length === 0 ? [] : [`alter database ${database} with ${options.join(" ")}`];
}

function renderGrants(database: string, wanted: DatabaseSettings, current: DatabaseSettings): string[] {
  if (wanted.owner === current.owner && JSON.stringify(wanted.grants) === JSON.stringify(current.grants)) return [];
  const holders = [...wanted.grants, ...current.grants].map(({ grantee }) => grantee);
  // The old owner's own privileges go over to the new one with the database.
  const names = [...new Set([wanted.owner, ...holders.filter((grantee) => grantee !== current.owner)])];
  return [
    `revoke all on database ${database} from ${names.map(quoteGrantee).join(", ")} cascade`,
    ...inOrder(wanted).map((grant) => renderGrant(database, grant, wanted.owner)),
  ];
}

/** A grant comes after the one that allows its grantor to make it. */
function inOrder({ owner, grants }: DatabaseSettings): Grant[] {
  const ordered: Grant[] = [];
  let rest = [...grants];
  while (rest.length > 0) {
    const possible = rest.filter(
      ({ grantor, privilege }) =>
        grantor === owner ||
        ordered.some((given) => given.grantee === grantor && given.privilege === privilege && given.grantable),
    );
    ordered.push(...possible);
    // What nobody may grant is left for the server to refuse.
    if (possible.length === 0) return [...ordered, ...rest];
    rest = rest.filter((grant) => !possible.includes(grant));
  }
  return ordered;
}

function renderGrant(database: string, grant: Grant, owner: string): string {
  const option = grant.grantable ? " with grant option" : "";
  const statement = `grant ${grant.privilege} on database ${database} to ${quoteGrantee(grant.grantee)}${option}`;
  if (grant.grantor === owner) return statement;
  return `set local role ${quoteIdent(grant.grantor)}; ${statement}; reset role`;
}

function quoteGrantee(grantee: string | null): string {
  return grantee === null ? "public" : quoteIdent(grantee);
}

function renderRoleSettings(
  database: string,
  wanted: readonly RoleSettings[],
  current: readonly RoleSettings[],
): string[] {
  const roles = [...new Set([...wanted, ...current].map(({ role }) => role))];
  return roles.flatMap((role) => {
    const [values = [], old = []] = [wanted, current].map((list) => list.find((item) => item.role === role)?.values);
    if (JSON.stringify(values) === JSON.stringify(old)) return [];
    const subject =
      role === null ? `alter database ${database}` : `alter role ${quoteIdent(role)} in database ${database}`;
    return [
      ...(old.length === 0 ? [] : [`${subject} reset all`]),
      ...values.map((value) => `${subject} ${renderSet(value)}`),
    ];
  });
}

/** Settings whose value is a list of names that the server has quoted already. */
const quotedLists = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]);

/** `name=value` as the catalog holds it, as the SET that stores the same. */
function renderSet(entry: string): string {
  const split = entry.indexOf("=");
  const [name, value] = [entry.slice(0, split), entry.slice(split + 1)];
  const values = quotedLists.has(name.toLowerCase()) ? splitQuotedList(value) : [value];
  return `set ${quoteIdent(name)} to ${values.map(quoteLiteral).join(", ")}`;
}

/** `"$user", public` → `$user`, `public`. An empty list is the empty name. */
function splitQuotedList(text: string): string[] {
  const items = [...text.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)].map(
    (match) => match[1]?.replaceAll('""', '"') ?? match[0],
  );
  return items.length === 0 ? [""] : items;
}
