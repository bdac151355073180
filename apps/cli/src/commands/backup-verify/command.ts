import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {
  all: { kind: "switch", brief: "Every backup of the store" },
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Ends with 1 when one is damaged. What was found, and when, is noted beside the backup, and `replant backups` shows it. Needs no database.",
    flags,
    argument: { placeholder: "backup", brief: `${referenceBrief} (default: latest)` },
    examples: [
      { line: "replant backup verify", meaning: "the latest one" },
      { line: "replant backup verify --all", meaning: "all of them, such as in a nightly job" },
    ],
    exits: [1],
  },
  () => import("./handler.ts"),
);
