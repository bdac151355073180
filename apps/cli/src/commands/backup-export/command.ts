import { defineCommand } from "../../command.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      'The document is {"timestamp", "version": "1.0", "tables": {name: [row, ...]}}, and "context" with the rows that those only refer to. Booleans, 32-bit integers and null are JSON\'s own. Everything else is the server\'s text in a string, because JSON would round or change it; the columns for which that is so are named. Nothing is overwritten. Needs no database.',
    flags,
    argument: { placeholder: "backup", brief: referenceBrief },
    further: [{ placeholder: "file", brief: "Where to (default: <id>.json in this directory)" }],
    examples: [{ line: "replant backup export latest users.json", meaning: "the latest one as JSON" }],
    exits: [1],
  },
  () => import("./handler.ts"),
);
