// The driver that Replant itself uses: floor and command differ in nothing else.
import { createRequire } from "node:module";

const load = createRequire(new URL("../../../../packages/postgres/package.json", import.meta.url));
const driver = "pg";

export const pg = load(driver);
