import { defineCommand } from "../../command.ts";
import { consentFlag } from "../../flags.ts";

export const flags = consentFlag;

export const command = defineCommand(
  {
    description:
      "Shows by how many rows the two differ, then swaps them in one transaction. What was live stays as previous, so that undo can be undone.",
    flags,
    argument: null,
    examples: [{ line: "replant undo", meaning: "take the last reset or restore back" }],
    exits: [1, 3, 4],
  },
  () => import("./handler.ts"),
);
