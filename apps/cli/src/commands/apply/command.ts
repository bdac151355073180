import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { carryFlags, consentFlag } from "../../flags.ts";

export const flags = { keepFailed: carryFlags.keepFailed, ...consentFlag } as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Executes a plan that `replant plan -o` has written: the reset that somebody has looked at, and no other. Where anything that the plan depended on has changed since (schema, migrations, seeds, rules, the server, the database, the tool, or row counts by more than a tenth), nothing is touched and each change is named. The file itself agrees to what the plan says is left behind.",
    flags,
    argument: { placeholder: "file", brief: "What replant plan -o has written" },
    examples: [{ line: "replant apply plan.json", meaning: "the reset that was planned" }],
    exits: [1, 3, 4],
  },
  () => import("./handler.ts"),
);
