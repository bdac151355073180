// One connection, one question.
import process from "node:process";
import { pg } from "./pg.mjs";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("select count(*) from pg_database");
await client.end();
