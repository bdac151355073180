import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { carryFlags, setFlag } from "../../flags.ts";

export const flags = {
  force: { kind: "switch", brief: "Plan a reset that carries nothing" },
  out: {
    kind: "value",
    brief: "Write the plan into this file, for replant apply; nothing is overwritten",
    placeholder: "file",
    alias: "o",
  },
  exitCode: { kind: "switch", brief: "Exit with 2 when there is something to change" },
  ...setFlag,
  acceptLoss: carryFlags.acceptLoss,
  noReplay: carryFlags.noReplay,
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "The same as reset --dry-run. With --json the document is the plan itself, which is exactly what a reset executes; its hash is the same.",
    flags,
    argument: null,
    examples: [
      { line: "replant plan", meaning: "keep, replace, drop and quarantine per table" },
      { line: "replant plan --json", meaning: "the plan as data" },
      { line: "replant plan -o plan.json", meaning: "the plan as a file that replant apply executes" },
    ],
    exits: [1, 2],
  },
  () => import("./handler.ts"),
);
