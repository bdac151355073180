import { defineCommand } from "../../command.ts";

export const flags = {};

export const command = defineCommand(
  {
    description: "Damaged backups are listed with what is wrong with them; they are never used. Needs no database.",
    flags,
    argument: null,
    examples: [{ line: "replant backups --json", meaning: "the list as data" }],
    exits: [1],
  },
  () => import("./handler.ts"),
);
