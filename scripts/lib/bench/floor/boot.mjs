// PGlite on the data directory in argv[2], its entry in argv[3]: open, one question, close.
import process from "node:process";
import { pathToFileURL } from "node:url";

const { PGlite } = await import(pathToFileURL(process.argv[3]).href);
const database = new PGlite(process.argv[2]);
await database.query("select 1");
await database.close();
