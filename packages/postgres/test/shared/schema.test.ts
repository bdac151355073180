import { mergeCases } from "./merge-cases.ts";
import { onServers } from "./pairs.ts";
import { policyCases } from "./policy-cases.ts";
import { schemaCases } from "./schema-cases.ts";

onServers("merges and schemas", [mergeCases, schemaCases, policyCases]);
