import { defineCommand } from "../../command.ts";
import { referenceBrief } from "../../flags.ts";

export const flags = {};

export const command = defineCommand(
  {
    description:
      "A path that ends in .replant gets the backup as one file: to send it somewhere, and to name that file wherever a backup is named. Any other is a directory that becomes a store of its own, or is one already; its latest moves to the backup only when that is newer than what is there. The copy keeps its id and is read back to its end; nothing is overwritten. Needs no database.",
    flags,
    argument: { placeholder: "backup", brief: referenceBrief },
    further: [{ placeholder: "to", brief: "The other store, made when it is not there, or a new .replant file" }],
    examples: [
      { line: "replant backup copy latest /mnt/backups/acme", meaning: "the latest one, on another disk" },
      { line: "replant backup copy latest acme.replant", meaning: "the latest one, as one file" },
      { line: "replant restore acme.replant", meaning: "restore it, here or in another checkout of the project" },
      { line: "replant restore /mnt/backups/acme/latest-backup.json", meaning: "restore the latest of that store" },
    ],
    exits: [1],
  },
  () => import("./handler.ts"),
);
