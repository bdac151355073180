import { missingCases } from "./missing-cases.ts";
import { naturalKeyCases } from "./natural-key-cases.ts";
import { onServers } from "./pairs.ts";
import { placedReferenceCases } from "./placed-reference-cases.ts";

onServers("references", [missingCases, placedReferenceCases, naturalKeyCases]);
