import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {
  yes: {
    kind: "value",
    brief: "Agree by naming the database; the newest good backup goes only when its own id is named",
    placeholder: "name",
  },
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "All of them are found before the first one goes. Somebody has to agree, because nothing brings a backup back. latest moves to the newest good one that stays. Needs no database.",
    flags,
    argument: { placeholder: "backup", brief: referenceBrief },
    many: true,
    examples: [
      { line: "replant backup remove latest~5 latest~6 --yes=acme_dev", meaning: "two old ones" },
      {
        line: "replant backup remove latest --yes=2026-11-20T09-41-02-123Z-a81f",
        meaning: "the newest good one, named by its id",
      },
    ],
    exits: [1, 3],
  },
  () => import("./handler.ts"),
);
