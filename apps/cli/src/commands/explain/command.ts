import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";

export const flags = {
  table: { kind: "value", brief: "Only this table, as in users or billing.invoices", placeholder: "table" },
  row: {
    kind: "value",
    brief: "The whole way of one row of --table, by its key; a key of several columns with commas between them",
    placeholder: "key",
  },
  export: {
    kind: "value",
    brief: "Write the rows that were left behind into this file, as backup export does, with all their values",
    placeholder: "file",
  },
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "For each table: how its rows came to the new schema and why that way, columns that took a default or were made by a rule, rows kept, merged with seeded ones, re-pointed, left out and quarantined. Told from the journal of the run and, for one row, from its backup and live. Changes nothing.",
    flags,
    argument: {
      placeholder: "run",
      brief: "Id of a run, or the beginning of one (default: the last that carried rows)",
    },
    examples: [
      { line: "replant explain", meaning: "the last reset or restore" },
      { line: "replant explain --table organization_services", meaning: "one table of it" },
      { line: "replant explain --export left.json", meaning: "the rows that were left behind, into a file" },
      {
        line: "replant explain --table users --row 0b000000-0000-4000-8000-000000000001",
        meaning: "one row: what it was in the backup and what it is now",
      },
    ],
    exits: [1],
  },
  () => import("./handler.ts"),
);
