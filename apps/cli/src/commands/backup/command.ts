import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { chainFlag } from "../../flags.ts";

export const flags = {
  all: { kind: "switch", brief: "Every row of every table, instead of what a reset would keep" },
  tables: {
    kind: "list",
    brief: "Every row of these tables, instead of what a reset would keep",
    placeholder: "tables",
    separator: ",",
  },
  pii: {
    kind: "choice",
    brief:
      "none: no name, no address and no metadata of people and organizations; the identity provider gives them back",
    values: ["none"],
  },
  ...chainFlag,
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Reads kept rows, and the rows that they refer to, from one snapshot while writers go on. The backup appears under its id only when it is complete and was read back. A restore carries all that is in the backup. What else can be done with backups: replant backup verify, show, diff, copy, rename, remove, export, import.",
    flags,
    argument: null,
    examples: [
      { line: "replant backup", meaning: "one more backup; latest-backup.json names it" },
      {
        line: "replant backup --all",
        meaning: "the whole database; Replant's own tables and the migrator's are not in it",
      },
      {
        line: "replant backup --tables=users,billing.invoices",
        meaning: "two tables, and the rows that they refer to",
      },
      { line: "replant backup --pii none", meaning: "one that may leave this machine" },
      { line: "replant backup --chain", meaning: "begin the chain that replant restore --chain ends" },
    ],
    exits: [1, 4],
  },
  () => import("./handler.ts"),
);
