import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { chainFlag, consentFlag, setFlag } from "../../flags.ts";

export const flags = {
  ...setFlag,
  only: {
    kind: "list",
    brief: "Run only these seeds, and what they depend on",
    placeholder: "names",
    separator: ",",
  },
  list: { kind: "switch", brief: "List the seeds in the order in which they run, and run none" },
  ...consentFlag,
  ...chainFlag,
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Each seed runs in a transaction of its own, and running it twice adds nothing twice. Rows that no seed owns stay as they are.",
    flags,
    argument: null,
    examples: [
      { line: "replant seed", meaning: "the sets of the configuration" },
      { line: "replant seed --only default-prompts", meaning: "one seed and what it depends on" },
      { line: "replant seed --list", meaning: "what there is" },
    ],
    exits: [1, 3, 4],
  },
  () => import("./handler.ts"),
);
