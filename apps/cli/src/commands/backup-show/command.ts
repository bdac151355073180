import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {
  limit: { kind: "number", brief: "At most this many rows (default: 50; with --json=stream all)", placeholder: "rows" },
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Values are the server's own text. As data a row is a list of strings and nulls in the order of the columns; --json=stream prints each row on a line of its own, however many there are. Needs no database.",
    flags,
    argument: { placeholder: "backup", brief: referenceBrief },
    further: [{ placeholder: "table", brief: "A table of the backup, as in users or billing.invoices" }],
    examples: [
      { line: "replant backup show latest", meaning: "tables and rows of the latest backup" },
      { line: "replant backup show latest users --limit=5", meaning: "five of its users" },
      {
        line: "replant backup show latest~1 users --json=stream",
        meaning: "all users of the one before, line by line",
      },
    ],
    exits: [1],
  },
  () => import("./handler.ts"),
);
