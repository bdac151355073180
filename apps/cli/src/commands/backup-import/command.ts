import { defineCommand } from "../../command.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      "Reads what replant backup export writes, and documents of that shape made elsewhere. Tables are those of live by name, and its server reads every value: a table or a column that it does not have, or a value that is none of its type, is refused and no backup is made. Columns that the document lacks are named; a restore gives them their default. Live is not changed; replant restore puts the rows into a new one.",
    flags,
    argument: { placeholder: "file", brief: "The document" },
    examples: [{ line: "replant backup import users.json", meaning: "a backup like any other; then replant restore" }],
    exits: [1, 4],
  },
  () => import("./handler.ts"),
);
