import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { consentFlag } from "../../flags.ts";

export const flags = {
  all: {
    kind: "switch",
    brief: "Drop every previous database and every baseline too; undo is not possible afterwards",
  },
  ...consentFlag,
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description: "Applies the limits of the configuration, as every reset does. Live is never touched.",
    flags,
    argument: null,
    examples: [
      { line: "replant clean", meaning: "what is beyond the limits" },
      {
        line: "replant clean --all",
        meaning: "everything that Replant made, but for live and the backups within limits",
      },
    ],
    exits: [1, 3, 4],
  },
  () => import("./handler.ts"),
);
