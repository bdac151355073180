import { defineCommand } from "../../command.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      "The directory becomes a store of its own, or is one already. The backup is verified while it is read, and the copy is read back. It keeps its id; latest of the other store moves to it only when it is newer than what is there. Needs no database.",
    flags,
    argument: { placeholder: "backup", brief: referenceBrief },
    further: [{ placeholder: "directory", brief: "The other store, made when it is not there" }],
    examples: [
      { line: "replant backup copy latest /mnt/backups/acme", meaning: "the latest one, on another disk" },
      { line: "replant restore /mnt/backups/acme/latest-backup.json", meaning: "restore the latest of that store" },
    ],
    exits: [1],
  },
  () => import("./handler.ts"),
);
