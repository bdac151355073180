import { defineCommand } from "../../command.ts";
import { chainFlag } from "../../flags.ts";

export const flags = chainFlag;

export const command = defineCommand(
  {
    description:
      "Reads kept rows, and the rows that they refer to, from one snapshot while writers go on. The backup appears under its id only when it is complete and was read back.",
    flags,
    argument: null,
    examples: [
      { line: "replant backup", meaning: "one more backup; latest-backup.json names it" },
      { line: "replant backup --chain", meaning: "begin the chain that replant restore --chain ends" },
    ],
    exits: [1, 4],
  },
  () => import("./handler.ts"),
);
