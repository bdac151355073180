import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { carryFlags, chainFlag, consentFlag, setFlag } from "../../flags.ts";

export const flags = {
  force: { kind: "switch", brief: "Carry nothing: only migrations and seeds fill the new database" },
  dryRun: { kind: "switch", brief: "Show what would happen and change nothing" },
  exitCode: { kind: "switch", brief: "With --dry-run: exit with 2 when there is something to change" },
  ...setFlag,
  ...carryFlags,
  ...consentFlag,
  ...chainFlag,
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Builds a new database beside live, backs up the kept rows, carries them over, reads them back, and swaps. Until the swap live is not touched; a run that fails at any point leaves it as it was. What was live stays as previous, for undo.\n\nWith --force nothing is carried. Where that would leave rows behind, the database has to be named with --yes, or typed where somebody can be asked.",
    flags,
    argument: null,
    examples: [
      { line: "replant reset", meaning: "rebuild, keeping the rows that the configuration names" },
      { line: "replant reset --dry-run", meaning: "show per table what is kept, replaced and dropped" },
      { line: "replant reset --set system --set mock", meaning: "fill the new database with these seed sets" },
      {
        line: "replant reset --accept-loss audit_notes",
        meaning: "go on although rows of that table cannot be carried",
      },
      { line: "replant reset --force --yes=app_dev", meaning: "rebuild without carrying anything" },
    ],
    exits: [1, 2, 3, 4],
  },
  () => import("./handler.ts"),
);
