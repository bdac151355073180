import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { carryFlags, consentFlag, setFlag } from "../../flags.ts";

export const flags = { ...setFlag, ...carryFlags, ...consentFlag } as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "A reset with --accept-loss leaves rows behind that do not fit; they stay in its backup. Once the rule, the migration or the seed is corrected, this command resets once more: live's own rows are carried first, then those that were left behind, and none of live's gives way to them. What still does not fit is named and stays in the backup; where nothing fits, live is not changed. `replant explain` lists the rows, `replant explain --export` writes them into a file.",
    flags,
    argument: {
      placeholder: "run",
      brief: "Id of the run that left them, or the beginning of one (default: the last that left any)",
    },
    examples: [
      { line: "replant retry", meaning: "the rows that the last run with --accept-loss left behind" },
      { line: "replant retry 2026-11-20T09-41", meaning: "those of the run whose id begins like this" },
    ],
    exits: [1, 3, 4],
  },
  () => import("./handler.ts"),
);
