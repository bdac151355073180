import { mergeCases } from "./merge-cases.ts";
import { onEmbedded } from "./pairs.ts";
import { schemaCases } from "./schema-cases.ts";

onEmbedded("merges and schemas", [mergeCases, schemaCases]);
