import { defineCommand } from "../../command.ts";

export const flags = {};

export const statusCommand = defineCommand(
  {
    path: ["status"],
    folder: "status",
    brief: "Show live, previous, baselines, the last run and the backups",
    description:
      "Takes no lock and changes nothing. Says what a run that was killed has left behind and what becomes of it.",
    flags,
    argument: null,
    examples: [{ line: "replant status --json", meaning: "the same as data" }],
    exits: [1],
  },
  () => import("./handler.ts"),
);
