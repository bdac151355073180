import { defineCommand } from "../../command.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      "A row is the same row when its primary key is; in a table without one, when all of it is. Context rows are not compared. Both backups are read to their end. Needs no database.",
    flags,
    argument: { placeholder: "from", brief: referenceBrief },
    further: [{ placeholder: "to", brief: "The other one (default: latest)" }],
    examples: [{ line: "replant backup diff latest~1 latest", meaning: "what came since the one before" }],
    exits: [1],
  },
  () => import("./handler.ts"),
);
