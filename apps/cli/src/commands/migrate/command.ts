import { defineCommand } from "../../command.ts";
import { consentFlag } from "../../flags.ts";

export const upFlags = consentFlag;
export const statusFlags = {};

export const migrateStatusCommand = defineCommand(
  {
    description: "Changes nothing. Exits with 1 where applied migrations and the files disagree.",
    flags: statusFlags,
    argument: null,
    examples: [{ line: "replant migrate status", meaning: "applied, pending, problems" }],
    exits: [1],
  },
  () => import("./status-handler.ts"),
);

export const migrateUpCommand = defineCommand(
  {
    description:
      "Records them as the project's own migration tool would. This changes live itself: there is no swap and nothing to undo.",
    flags: upFlags,
    argument: null,
    examples: [{ line: "replant migrate up", meaning: "apply what is pending" }],
    exits: [1, 3, 4],
  },
  () => import("./up-handler.ts"),
);
