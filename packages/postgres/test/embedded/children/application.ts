// An application that opens the data directory itself and knows nothing of Replant.
import { PGlite } from "@electric-sql/pglite";
import { setTimeout as sleep } from "node:timers/promises";

const [directory = ""] = process.argv.slice(2);
const database = await PGlite.create(directory);
await database.query("select 1");
process.stdout.write("open\n");
await sleep(3_600_000);
