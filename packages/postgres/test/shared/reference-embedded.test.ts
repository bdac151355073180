import { missingCases } from "./missing-cases.ts";
import { naturalKeyCases } from "./natural-key-cases.ts";
import { onEmbedded } from "./pairs.ts";
import { placedReferenceCases } from "./placed-reference-cases.ts";

onEmbedded("references", [missingCases, placedReferenceCases, naturalKeyCases]);
