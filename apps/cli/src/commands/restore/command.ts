import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { carryFlags, chainFlag, consentFlag, referenceBrief, setFlag } from "../../flags.ts";

export const flags = {
  fromProject: { kind: "switch", brief: "Accept a backup that was made from another project" },
  ...setFlag,
  ...carryFlags,
  ...consentFlag,
  ...chainFlag,
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Reads the whole backup first; a damaged one is refused before anything is touched. Then a new database is built beside live from migrations and seeds, the backup's rows are carried into it, and the two are swapped. What was live stays as previous.",
    flags,
    argument: { placeholder: "backup", brief: `${referenceBrief} (default: latest)` },
    examples: [
      { line: "replant restore", meaning: "the latest backup" },
      { line: "replant restore 2026-11-20T09-41", meaning: "the backup whose id begins like this" },
      { line: "replant restore backups/2026-11-20T09-41-02-123Z-a81f", meaning: "the backup at this path" },
    ],
    exits: [1, 3, 4],
  },
  () => import("./handler.ts"),
);
