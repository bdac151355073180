import type { DatabaseRef, ManagedRole, NewDatabase, SqlSession } from "@replant/core";
import { messageOf, ReplantError, sqlState } from "@replant/core";
import { quoteIdent, quoteLiteral } from "../shared/quote.ts";
import { dropRow, findDatabase, isHalfMade } from "./databases.ts";
import { halfMadeLimit, renderMark } from "./marks.ts";
import { type SiblingKind, siblingName } from "./names.ts";
import { type DatabaseSettings, readSettings, renderSettings } from "./settings.ts";

/** Live, as far as a database that is to replace it must be like it. */
interface LiveShape {
  readonly settings: DatabaseSettings;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c` libc, `i` ICU, `b` builtin. */
  readonly provider: string;
  readonly locale: string | null;
  readonly icuRules: string | null;
  readonly tablespace: string;
}

// Column by column through jsonb, because the columns differ from version to version.
const shapeSql = `
select d.oid::text as id, pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collate, d.datctype as ctype,
  coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') as provider,
  coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale,
  to_jsonb(d) ->> 'daticurules' as "icuRules", t.spcname::text as tablespace
from pg_database d join pg_tablespace t on t.oid = d.dattablespace where d.datname = $1`;

async function readShape(session: SqlSession, live: string): Promise<LiveShape | null> {
  const [row] = await session.query<Omit<LiveShape, "settings"> & { id: string }>(shapeSql, [live]);
  const settings = row === undefined ? null : await readSettings(session, row.id);
  return row === undefined || settings === null ? null : { ...row, settings };
}

/** An empty database beside live, with live's encoding, locale, owner and settings; the server's defaults where live is absent. */
export async function createEmpty(
  session: SqlSession,
  { live, database }: { live: string; database: NewDatabase },
): Promise<DatabaseRef> {
  const shape = await readShape(session, live);
  // template1 may hold objects that people have put there.
  const source = ["template template0", ...(shape === null ? [] : localeClauses(shape))];
  return createMarked(session, { live, database, shape, source });
}

/** A copy of a baseline beside live. @throws ReplantError REPLANT_BASELINE_FAILED when it has gone */
export async function createCopy(
  session: SqlSession,
  { live, database, baseline }: { live: string; database: NewDatabase; baseline: DatabaseRef },
): Promise<DatabaseRef> {
  const row = await findDatabase(session, baseline.name);
  if (row === null || row.id !== baseline.id || row.mark?.role !== "baseline") {
    throw new ReplantError("REPLANT_BASELINE_FAILED", `the baseline ${baseline.name} is not there any more`, {
      hint: "run the command again: it builds the baseline anew",
    });
  }
  const source = [`template ${quoteIdent(baseline.name)}`, ...(await strategyClause(session, baseline.id))];
  return createMarked(session, { live, database, shape: await readShape(session, live), source });
}

/** Below this size copying through the WAL is faster than copying files with a checkpoint before and after. */
const walCopyBytesMax = 100_000_000;

async function strategyClause(session: SqlSession, id: string): Promise<string[]> {
  const [row] = await session.query<{ version: number; size: string }>(
    "select current_setting('server_version_num')::int as version, pg_database_size($1::oid)::text as size",
    [id],
  );
  if (row === undefined || row.version < 150_000) return [];
  return [`strategy ${Number(row.size) < walCopyBytesMax ? "wal_log" : "file_copy"}`];
}

function localeClauses(shape: LiveShape): string[] {
  const clauses = [
    `encoding ${quoteLiteral(shape.encoding)}`,
    `lc_collate ${quoteLiteral(shape.collate)}`,
    `lc_ctype ${quoteLiteral(shape.ctype)}`,
  ];
  if (shape.provider === "c" || shape.locale === null) return clauses;
  const [provider, locale] = shape.provider === "i" ? ["icu", "icu_locale"] : ["builtin", "builtin_locale"];
  clauses.push(`locale_provider ${provider}`, `${locale} ${quoteLiteral(shape.locale)}`);
  if (shape.icuRules !== null) clauses.push(`icu_rules ${quoteLiteral(shape.icuRules)}`);
  return clauses;
}

interface Creation {
  readonly live: string;
  readonly database: NewDatabase;
  readonly shape: LiveShape | null;
  /** Clauses of CREATE DATABASE that say what it is made from. */
  readonly source: readonly string[];
}

/** Naming the default would take a privilege on it that using it does not. */
function tablespaceClause({ tablespace }: LiveShape): string[] {
  return tablespace === "pg_default" ? [] : [`tablespace ${quoteIdent(tablespace)}`];
}

/** Roles of databases that a run makes beside live, and what they are called after. */
const siblingKinds: Partial<Record<ManagedRole, SiblingKind>> = {
  building: "build",
  candidate: "next",
  scratch: "scratch",
};

/** CREATE DATABASE cannot be part of a transaction, so the database has a limit that says what it is until it has its mark. */
async function createMarked(session: SqlSession, { live, database, shape, source }: Creation): Promise<DatabaseRef> {
  const name = siblingName(live, siblingKinds[database.role] ?? "next", database);
  await removeLeftover(session, { live, name });
  const clauses = [
    ...source,
    ...(shape === null ? [] : [`owner ${quoteIdent(shape.settings.owner)}`, ...tablespaceClause(shape)]),
    `connection limit ${halfMadeLimit}`,
  ];
  try {
    await session.script(`create database ${quoteIdent(name)} ${clauses.join(" ")}`);
    const row = await findDatabase(session, name);
    const current = row === null ? null : await readSettings(session, row.id);
    if (row === null || current === null) throw new Error(`${name} vanished while it was being made`);
    const mark = renderMark({ ...database, live, original: null });
    await session.script(
      [
        "begin",
        `comment on database ${quoteIdent(name)} is ${quoteLiteral(mark)}`,
        `alter database ${quoteIdent(name)} connection limit -1`,
        // Migrations and seeds may rely on them, a search path above all.
        ...(shape === null ? [] : renderSettings(name, { wanted: onlyValues(shape.settings, current), current })),
        "commit",
      ].join("; "),
    );
    return { name, id: row.id };
  } catch (error) {
    await session.script("rollback").catch(() => {});
    await removeLeftover(session, { live, name }).catch(() => {});
    throw creationError(error, name);
  }
}

/** Privileges and limits wait for the swap: they would stand in our own way until then. */
function onlyValues(wanted: DatabaseSettings, current: DatabaseSettings): DatabaseSettings {
  return { ...current, settings: wanted.settings };
}

/** What an earlier attempt of the same run left under this name. */
async function removeLeftover(session: SqlSession, { live, name }: { live: string; name: string }): Promise<void> {
  const row = await findDatabase(session, name);
  if (row === null) return;
  const ours = row.mark?.live === live && row.mark.role in siblingKinds;
  if (!ours && !isHalfMade(row, live)) {
    throw new ReplantError("REPLANT_NAME_INVALID", `a database ${name} is there already, and Replant did not make it`, {
      state: "live and that database were not touched",
      hint: "rename that database, then run the command again",
    });
  }
  await dropRow(session, row);
}

function creationError(error: unknown, name: string): unknown {
  const state = sqlState(error);
  const why = messageOf(error);
  if (state === "53100" || /no space left/i.test(why)) {
    return new ReplantError("REPLANT_DISK_FULL", `the server has no space left for ${name}`, {
      why,
      hint: "free space on the server's disk, or drop what is not needed with replant clean",
      cause: error,
    });
  }
  if (state === "42501") {
    return new ReplantError("REPLANT_STRATEGY_UNAVAILABLE", `the server did not allow to create ${name}`, {
      why,
      hint: "give the user CREATEDB, and the role that owns live",
      cause: error,
    });
  }
  return error;
}
