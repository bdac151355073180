import type { Catalog, Harvest, HarvestedTable, KeepRules, SqlSession, Table, TableCount } from "@replant/core";
import { findTable, identityColumns, keepRuleOf } from "@replant/core";
import { readCatalog } from "../catalog.ts";
import { ownRows, quoteLiteral } from "../quote.ts";
import { type Content, contentOf, hasAll, hashesSql, likeSql } from "./content.ts";
import { keySql, readParts, relidSql, type TrackedPart } from "./tracking.ts";

const listedRowsMax = 1000;

/** See `RowPort.harvest`. */
export async function harvestRows(
  session: SqlSession,
  { keep, candidate }: { readonly keep: KeepRules; readonly candidate: SqlSession },
): Promise<Harvest> {
  const catalog = await readCatalog(session);
  const others = await readCatalog(candidate);
  const parts = await readParts(session);
  const tables: HarvestedTable[] = [];
  const unkept: TableCount[] = [];
  const used = new Set<TrackedPart>();
  for (const table of catalog.tables) {
    const part = partOf(table, parts);
    if (part !== null) used.add(part);
    const rule = keepRuleOf(table, keep);
    const content = contentOf(table, catalog);
    const likes = (): Promise<boolean> => copyLikes({ session, candidate, table, content, others });
    const rows = await sortRows(session, { table, part, condition: rule?.where ?? null, content, likes });
    if (part !== null || rule !== null) tables.push(rows);
    else if (rows.added > 0) unkept.push({ table: { schema: table.schema, name: table.name }, rows: rows.added });
  }
  const gone = parts
    .filter((part) => part.role === "kept" && !used.has(part))
    .map(({ entry, loaded, oldSchema, oldName }) => ({
      entry,
      table: { schema: oldSchema, name: oldName },
      rows: loaded,
    }));
  return { tables, gone, unkept };
}

/** The part whose rows went into this table; a table that a migration made anew under the old name counts as the same. */
function partOf(table: Table, parts: readonly TrackedPart[]): TrackedPart | null {
  const kept = parts.filter(({ role }) => role === "kept");
  return (
    kept.find(({ schema, name }) => schema === table.schema && name === table.name) ??
    kept.find(
      ({ name, oldSchema, oldName }) => name === null && oldSchema === table.schema && oldName === table.name,
    ) ??
    null
  );
}

interface Sorting {
  readonly table: Table;
  readonly part: TrackedPart | null;
  /** Of the keep rule; for rows that migrations have made. */
  readonly condition: string | null;
  /** By what a row of the migrations' own is known. */
  readonly content: Content;
  /** Fills `replay_like` with what the candidate has; false when that cannot be compared. */
  readonly likes: () => Promise<boolean>;
}

/** Tells kept rows, rows made of them, and rows of the migrations' own apart, and notes where those stand that go on. */
async function sortRows(
  session: SqlSession,
  { table, part, condition, content, likes }: Sorting,
): Promise<HarvestedTable> {
  const key = keySql(table, "t");
  const from = `${ownRows(table)} t`;
  const relid = part === null ? relidSql(table) : `${part.relid}::oid`;
  const tracked = (role: string): string =>
    `exists (select from replant.replay_row r where r.relid = ${relid} ${role} and r.key = ${key ?? "''"})`;
  const kept = key === null ? (part === null ? "false" : "true") : tracked("and r.role = 'kept'");
  const fresh = key === null ? (part === null ? "true" : "false") : `not ${tracked("")}`;
  const survived = await carryOn(session, { from, condition: kept });
  const isFresh = await session.query(`select from ${from} where ${fresh} limit 1`);
  let [added, own] = [0, 0];
  if (isFresh.length > 0) {
    const like = (await likes()) ? likeSql(content) : "false";
    own = await countWhere(session, from, `${fresh} and ${like}`);
    added = await carryOn(session, {
      from,
      condition: `${fresh} and not ${like} and (${condition ?? "true"}\n)`,
    });
  }
  const loaded = part?.loaded ?? 0;
  return {
    table,
    entry: part?.entry ?? null,
    where: "(tableoid, ctid) in (select c.part, c.place from replant.replay_carried c)",
    loaded,
    survived: Math.min(survived, loaded),
    removed: Math.max(0, loaded - survived),
    removedRows: key === null || survived >= loaded ? [] : await listRemoved(session, { table, from, relid, key }),
    added: added + Math.max(0, survived - loaded),
    own,
  };
}

async function carryOn(session: SqlSession, { from, condition }: { from: string; condition: string }): Promise<number> {
  const [row] = await session.query<{ rows: string }>(
    `with taken as (insert into replant.replay_carried select t.tableoid, t.ctid from ${from} where ${condition} returning 1)
     select count(*)::text as rows from taken`,
  );
  return Number(row?.rows ?? 0);
}

async function countWhere(session: SqlSession, from: string, condition: string): Promise<number> {
  const [row] = await session.query<{ rows: string }>(`select count(*)::text as rows from ${from} where ${condition}`);
  return Number(row?.rows ?? 0);
}

async function listRemoved(
  session: SqlSession,
  { table, from, relid, key }: { table: Table; from: string; relid: string; key: string },
): Promise<string[]> {
  const label = `${quoteLiteral(`${(identityColumns(table) ?? []).join(", ")}=`)} || trim(both '()' from r.key)`;
  const rows = await session.query<{ row: string }>(
    `select ${label} as row from replant.replay_row r where r.relid = ${relid} and r.role = 'kept'
       and not exists (select from ${from} where ${key} = r.key) order by 1 limit ${listedRowsMax}`,
  );
  return rows.map(({ row }) => row);
}

async function copyLikes({
  session,
  candidate,
  table,
  content,
  others,
}: {
  session: SqlSession;
  candidate: SqlSession;
  table: Table;
  content: Content;
  others: Catalog;
}): Promise<boolean> {
  const other = findTable(others, table);
  if (other === undefined || content.columns.length === 0 || !hasAll(others, content)) return false;
  await session.script("truncate replant.replay_like");
  await session.copyIn(
    "copy replant.replay_like from stdin",
    candidate.copyOut(`copy (select ${hashesSql(content)} from ${ownRows(other)} t) to stdout`),
  );
  return true;
}
