import type { Catalog, SqlSession, Table, TableDifference, TableName } from "@replant/core";
import { findTable, identityColumns } from "@replant/core";
import { ownRows, quoteIdent } from "./quote.ts";
import { digestSql } from "./selection.ts";
import { readCatalog } from "./catalog.ts";

/** See `RowPort.difference`. Equal tables cost one digest each; others are read as sorted lists of key and hash, streamed. */
export async function differenceOf(
  live: SqlSession,
  other: SqlSession,
  tables: readonly TableName[],
): Promise<TableDifference[]> {
  const [liveCatalog, otherCatalog] = [await readCatalog(live), await readCatalog(other)];
  const differences: TableDifference[] = [];
  for (const name of tables) {
    const table = comparable(liveCatalog, otherCatalog, name);
    if (table === null) continue;
    if ((await digest(live, table)) === (await digest(other, table))) continue;
    differences.push({ table: name, ...(await compareSorted(hashes(live, table), hashes(other, table))) });
  }
  return differences;
}

function comparable(a: Catalog, b: Catalog, name: TableName): Table | null {
  const [left, right] = [findTable(a, name), findTable(b, name)];
  if (left === undefined || right === undefined) return null;
  const names = (table: Table): string => table.columns.map((column) => column.name).join("\0");
  return names(left) === names(right) ? left : null;
}

function columnsOf(table: Table): string[] {
  return table.columns.map((column) => `t.${quoteIdent(column.name)}`);
}

async function digest(session: SqlSession, table: Table): Promise<string> {
  const [row] = await session.query<{ rows: string; digest: string }>(
    digestSql(columnsOf(table), `${ownRows(table)} t`),
  );
  return `${row?.rows} ${row?.digest}`;
}

/** Lines `md5 of the key, tab, md5 of the row`, sorted. */
async function* hashes(session: SqlSession, table: Table): AsyncGenerator<readonly [string, string]> {
  const key = identityColumns(table)?.map((name) => `t.${quoteIdent(name)}`) ?? columnsOf(table);
  const sql = `copy (select k, h from (select md5(row(${key.join(", ")})::text) as k,
    md5(row(${columnsOf(table).join(", ")})::text) as h from ${ownRows(table)} t) q
    order by k collate "C", h collate "C") to stdout`;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of session.copyOut(sql)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield [line.slice(0, 32), line.slice(33)];
  }
}

async function compareSorted(
  live: AsyncGenerator<readonly [string, string]>,
  other: AsyncGenerator<readonly [string, string]>,
): Promise<Pick<TableDifference, "onlyLive" | "onlyOther" | "changed">> {
  const counts = { onlyLive: 0, onlyOther: 0, changed: 0 };
  let [left, right] = [await live.next(), await other.next()];
  while (left.done !== true || right.done !== true) {
    if (right.done === true || (left.done !== true && left.value[0] < right.value[0])) {
      counts.onlyLive += 1;
      left = await live.next();
    } else if (left.done === true || left.value[0] > right.value[0]) {
      counts.onlyOther += 1;
      right = await other.next();
    } else {
      if (left.value[1] !== right.value[1]) counts.changed += 1;
      [left, right] = [await live.next(), await other.next()];
    }
  }
  return counts;
}
