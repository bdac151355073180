import { defineCommand } from "../../command.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      "The backup and its id stay as they are, and no limit of the configuration removes it any more. A label has 1 to 40 of a-z, 0-9 and -, at least one letter, and belongs to one backup of the store; without one the backup loses the one it has. Needs no database.",
    flags,
    argument: { placeholder: "backup", brief: referenceBrief },
    further: [{ placeholder: "label", brief: "The new label; none takes the old one away" }],
    examples: [
      { line: "replant backup rename latest before-import", meaning: "now replant restore before-import works" },
    ],
    exits: [1],
  },
  () => import("./handler.ts"),
);
