/*
 * A warm reset as one would write it by hand for this one database: no plan, no journal, no check, no way back, nothing flushed.
 * Copies the baseline, backs up the kept tables to files, loads them, renames both databases in one transaction. Options as JSON in
 * argv[2]: url of the maintenance database, live, baseline, candidate, directory of the backup, tables in the order of their
 * references, and `clone: false` where the candidate is there already.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { from, to } from "pg-copy-streams";
import { pg } from "./pg.mjs";

const { url, live, baseline, candidate, directory, tables, clone } = JSON.parse(process.argv[2]);

async function session(database) {
  const at = new URL(url);
  if (database !== undefined) at.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: at.href });
  await client.connect();
  return client;
}

const maintenance = await session();
if (clone) await maintenance.query(`CREATE DATABASE ${candidate} TEMPLATE ${baseline}`);

const source = await session(live);
await source.query(`BEGIN; LOCK TABLE ${tables.join(", ")} IN SHARE MODE`);
for (const table of tables) {
  await pipeline(source.query(to(`COPY ${table} TO STDOUT`)), createWriteStream(join(directory, table)));
}

const target = await session(candidate);
await target.query("BEGIN");
for (const table of tables) {
  await pipeline(createReadStream(join(directory, table)), target.query(from(`COPY ${table} FROM STDIN`)));
}
await target.query("COMMIT");
await Promise.all([source.end(), target.end()]);

await maintenance.query(
  `BEGIN; ALTER DATABASE ${live} RENAME TO ${live}_old; ALTER DATABASE ${candidate} RENAME TO ${live}; COMMIT`,
);
await maintenance.end();
