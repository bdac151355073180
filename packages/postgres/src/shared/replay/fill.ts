import type { BackupEntry, Catalog, RowSource, SqlSession, Table } from "@replant/core";
import { findTable, messageOf, ReplantError, sqlState, tableLabel } from "@replant/core";
import { readCatalog } from "../catalog.ts";
import { looseForeignKeys, silentTriggers } from "../carry/defer.ts";
import { advanceSequences } from "../carry/sequences.ts";
import { binaryValues, copyOptions, sendFunctions } from "../copy-form.ts";
import { columnList, ownRows, quoteIdent, quoteLiteral, quoteTable } from "../quote.ts";
import { digestSql } from "../selection.ts";
import { createTracking, keySql, relidSql } from "./tracking.ts";

/** See `RowPort.fill`. One transaction: a database that does not take the rows is as it was. */
export async function fillBackup(
  session: SqlSession,
  entries: readonly BackupEntry[],
  source: RowSource,
): Promise<void> {
  const catalog = await readCatalog(session);
  await session.script(`begin; ${createTracking}`);
  try {
    const keys = await looseForeignKeys(session);
    const triggers = await silentTriggers(session);
    await session.script([...keys.drop, ...triggers.silence].join("\n"));
    const keptTables = entries.filter(({ role }) => role === "kept").map((entry) => tableOf(entry, catalog));
    for (const entry of entries) {
      const table = tableOf(entry, catalog);
      // Where nothing tells rows apart, context rows among kept ones would be taken for kept.
      const lost = entry.role === "context" && keySql(table, "t") === null && keptTables.includes(table);
      if (!lost) await fillPart(session, { entry, table, source });
    }
    for (const table of catalog.tables) await trackOthers(session, table);
    await advanceSequences(session, {
      tables: catalog.tables.map((table) => ({ table, source: table, columns: [] })),
      sequences: [],
    });
    await session.script([...keys.restore, ...triggers.wake, "commit"].join("\n"));
  } catch (error) {
    await session.script("rollback").catch(() => undefined);
    if (sqlState(error) === undefined) throw error;
    throw new ReplantError("REPLANT_CARRY_FAILED", `the backup's migrations make another schema: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const filled = [...catalog.tables.map(quoteTable), "replant.replay_row"];
  await session.script(`analyze ${filled.join(", ")}`);
}

function tableOf(entry: BackupEntry, catalog: Catalog): Table {
  const table = findTable(catalog, entry.table);
  const missing = entry.columns.filter((name) => table?.columns.every((column) => column.name !== name) === true);
  if (table !== undefined && missing.length === 0) return table;
  const what = table === undefined ? "no such table" : `no column ${missing.join(", ")} in it`;
  throw new ReplantError(
    "REPLANT_CARRY_FAILED",
    `the backup has ${tableLabel(entry.table)}, and its migrations make ${what}`,
  );
}

interface Part {
  readonly entry: BackupEntry;
  readonly table: Table;
  readonly source: RowSource;
}

async function fillPart(session: SqlSession, { entry, table, source }: Part): Promise<void> {
  const list = columnList(entry.columns);
  const staged = "replant_part";
  await session.script(
    `create temp table ${staged} on commit drop as select ${list} from ${ownRows(table)} with no data`,
  );
  await session.copyIn(`copy ${staged} (${list}) from stdin${copyOptions(entry.copy)}`, source(entry.id));
  await assertArrived(session, { entry, table, staged });
  for (const sql of clashes(entry, table, staged)) await session.script(sql);
  const into = entry.columns.length === 0 ? "" : `(${list}) overriding system value`;
  await session.script(`insert into ${quoteTable(table)} ${into} select ${list} from ${staged}`);
  const key = keySql(table, "s");
  await session.script(
    `insert into replant.replay_part values (${quoteLiteral(entry.id)}, '${entry.role}', ${relidSql(table)}, ${entry.rows},
       ${quoteLiteral(table.schema)}, ${quoteLiteral(table.name)});
     ${key === null ? "" : `insert into replant.replay_row select ${relidSql(table)}, '${entry.role}', ${key} from ${staged} s;`}
     drop table ${staged}`,
  );
}

/** Takes away what migrations have inserted under a key of the backup's rows; where no key tells rows apart, all of it. */
function clashes(entry: BackupEntry, table: Table, staged: string): string[] {
  if (keySql(table, "t") === null) return [`delete from ${quoteTable(table)}`];
  return table.keys
    .filter(({ columns }) => columns.every((name) => entry.columns.includes(name)))
    .map(({ columns }) => {
      const equal = columns.map((name) => `t.${quoteIdent(name)} = s.${quoteIdent(name)}`);
      return `delete from ${quoteTable(table)} t using ${staged} s where ${equal.join(" and ")}`;
    });
}

async function assertArrived(
  session: SqlSession,
  { entry, table, staged }: { entry: BackupEntry; table: Table; staged: string },
): Promise<void> {
  const values = entry.columns.map((name) => `s.${quoteIdent(name)}`);
  const types = entry.columns.map((name) => table.columns.find((column) => column.name === name)?.baseType ?? "text");
  const send = entry.copy === "binary" ? await sendFunctions(session, types) : null;
  const expressions = send === null ? values : binaryValues(values, send);
  const [facts] = await session.query<{ rows: string; digest: string }>(digestSql(expressions, `${staged} s`));
  if (Number(facts?.rows) === entry.rows && facts?.digest === entry.digest) return;
  throw new ReplantError(
    "REPLANT_CARRY_FAILED",
    `the values of ${tableLabel(entry.table)} change on their way into the schema of the backup's migrations`,
  );
}

/** Rows that migrations have inserted: they are no rows of the backup, and none that later migrations make. */
async function trackOthers(session: SqlSession, table: Table): Promise<void> {
  const key = keySql(table, "t");
  if (key === null) return;
  await session.script(`insert into replant.replay_row select ${relidSql(table)}, 'other', ${key} from ${ownRows(table)} t
    where not exists (select from replant.replay_row r where r.relid = ${relidSql(table)} and r.key = ${key})`);
}
