import { createDatabase } from "@replant/testkit";
import { env } from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { openSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/url.ts";
import { carryBetween, keepAll } from "./harness.ts";

/** Values for which a server needs some GB of memory: not for every run. `REPLANT_BIG=1` runs this. */
const values = env["REPLANT_BIG"] === "1" ? { bytes: 300_000_000, copy: "binary" } : { bytes: 3_000_000, copy: "text" };

test(`two values of ${values.bytes} bytes in one row survive as ${values.copy}`, { timeout: 600_000 }, async () => {
  const databases = [await createDatabase(15), await createDatabase(15)];
  const [live, candidate] = await Promise.all(
    databases.map(({ url, name }) => openSession(parseServerUrl(url), { database: name, applicationName: "replant" })),
  );
  if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
  onTestFinished(async () => {
    await live.close();
    await candidate.close();
    for (const database of databases) await database.drop();
  });
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
