import { env } from "node:process";
import { expect, test } from "vitest";
import { backUp, carryBetween, keepAll } from "./harness.ts";
import { openPair } from "./pairs.ts";
import { serverSessions } from "./sessions.ts";

/** Values for which a server needs some GB of memory: not for every run. `REPLANT_BIG=1` runs this. */
const values = env["REPLANT_BIG"] === "1" ? { bytes: 300_000_000, copy: "binary" } : { bytes: 3_000_000, copy: "text" };

test(`two values of ${values.bytes} bytes in one row survive as ${values.copy}`, { timeout: 600_000 }, async () => {
  const { live, candidate } = await openPair(serverSessions(15));
  const schema = "create table files (id int primary key, body bytea, note text)";
  await live.script(schema);
  await candidate.script(schema);
  const body = `convert_to(repeat('0123456789', ${values.bytes / 10}), 'UTF8')`;
  await live.script(`insert into files select 1, ${body}, convert_from(${body}, 'UTF8')`);
  const { plan, outcome, findings } = await carryBetween(live, candidate, { files: keepAll });
  expect(findings).toEqual([]);
  expect(plan.tables[0]?.copy).toBe(values.copy);
  expect(outcome.tables).toMatchObject([{ inBackup: 1, carried: 1 }]);
  const digest = "select md5(body) as body, md5(note) as note, octet_length(body) as bytes from files";
  expect(await candidate.query(digest)).toEqual(await live.query(digest));
});

// Ten bytes of a number are 131,001 characters of text.
const digits = env["REPLANT_BIG"] === "1" ? 8_500 : 0;

test.skipIf(digits === 0)(
  "a value whose text is beyond the server's limits is named",
  { timeout: 600_000 },
  async () => {
    const { live } = await openPair(serverSessions(15));
    await live.script(`create table sums (id int primary key, small int[], numbers numeric[]);
    insert into sums values (1, '{1}', '{1}'), (2, '{2}', array_fill(('1e131000')::numeric, array[${digits}])), (3, null, null)`);
    await expect(backUp(live, { sums: keepAll })).rejects.toMatchObject({
      code: "REPLANT_ROW_UNREADABLE",
      message: 'the server cannot write out the row id=2 of sums because of its column "numbers"',
    });
  },
);
