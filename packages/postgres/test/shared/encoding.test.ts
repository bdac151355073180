import type { SqlSession } from "@replant/core";
import { createDatabase, serverUrl, sql } from "@replant/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/url.ts";
import { backUp, carryBetween, keepAll } from "./harness.ts";

const schema = "create table t (id int primary key, text text not null)";

describe.each([15, 18] as const)("a database without an encoding, on PostgreSQL %i", (major) => {
  async function opened(): Promise<SqlSession> {
    const database = await createDatabase(major, { prefix: "ascii" });
    const admin = await serverUrl(major);
    await sql(admin, `drop database "${database.name}"`);
    await sql(admin, `create database "${database.name}" template template0 encoding 'SQL_ASCII' locale 'C'`);
    const session = await openSession(parseServerUrl(database.url), {
      database: database.name,
      applicationName: "replant",
    });
    onTestFinished(async () => {
      await session.close();
      await database.drop();
    });
    await session.script(schema);
    return session;
  }

  test("UTF-8 in it is carried byte by byte", async () => {
    const [live, candidate] = [await opened(), await opened()];
    await live.script(
      String.raw`insert into t values (1, 'plain'), (2, E'caf\xc3\xa9 \xf0\x9f\x8c\xb1'), (3, E'tab\t \\ line\n')`,
    );
    const { outcome, findings } = await carryBetween(live, candidate, { t: keepAll });
    expect(findings).toEqual([]);
    expect(outcome.tables).toMatchObject([{ inBackup: 3, carried: 3 }]);
    const bytes = "select id, encode(textsend(text), 'hex') as bytes from t order by id";
    expect(await candidate.query(bytes)).toEqual(await live.query(bytes));
  });

  test.each([
    ["its key and column", "id = 2", 'the row id=2 of t because of its column "text"'],
    ["its table, where the row cannot be asked for again", "id = 2 and nextval('asked') < 3", "a row of t"],
  ])("what is no UTF-8 is refused, with %s", async (_name, where, row) => {
    const live = await opened();
    await live.script(
      String.raw`insert into t values (1, 'plain'), (2, E'caf\xe9'), (3, 'more'); create sequence asked`,
    );
    await expect(backUp(live, { t: { ...keepAll, where } })).rejects.toMatchObject({
      code: "REPLANT_ROW_UNREADABLE",
      message: `the server cannot write out ${row}`,
      details: { why: 'invalid byte sequence for encoding "UTF8": 0xe9 [22021]' },
    });
    expect(await live.query("select count(*)::int as rows from t")).toEqual([{ rows: 3 }]);
  });
});
