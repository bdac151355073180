import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";

export const flags = {
  port: { kind: "number", brief: "Port on this machine (default 5433)", placeholder: "port" },
} as const satisfies FlagSpecs;

export const command = defineCommand(
  {
    description:
      "Only for the embedded engine. It is one session: several connections take turns, and what one sets another sees. A reset takes the new database into use while this goes on.",
    flags,
    argument: null,
    examples: [{ line: "replant serve", meaning: "postgres://localhost:5433/app until Ctrl-C" }],
    exits: [1, 4],
  },
  () => import("./handler.ts"),
);
