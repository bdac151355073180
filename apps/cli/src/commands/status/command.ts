import { defineCommand } from "../../command.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      "Takes no lock and changes nothing. Says what a run that was killed has left behind and what becomes of it.",
    flags,
    argument: null,
    examples: [{ line: "replant status --json", meaning: "the same as data" }],
    exits: [1],
  },
  () => import("./handler.ts"),
);
