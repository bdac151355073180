import { defineCommand } from "../../command.ts";
import type { FlagSpecs } from "../../flags.ts";
import { consentFlag } from "../../flags.ts";

const orphanFlags = {
  orphans: {
    kind: "choice",
    brief: "What becomes of rows that the provider does not have (default: soft-delete)",
    values: ["soft-delete", "keep", "drop", "fail"],
  },
  alarmShare: {
    kind: "value",
    brief: "Go on although more than this share of the rows is gone, from 0 to 1 (default: 0.5)",
    placeholder: "share",
  },
} as const satisfies FlagSpecs;

export const pullFlags = {
  remapBy: {
    kind: "choice",
    brief: "First give the rows the ids that the same people have in this other instance, found by this key",
    values: ["email", "external_id"],
  },
  dryRun: { kind: "switch", brief: "With --remap-by: print the map and change nothing" },
  ...consentFlag,
} as const satisfies FlagSpecs;
export const driftFlags = {
  quick: { kind: "switch", brief: "Four requests: counts, and whether a user has changed since the last listing" },
  exitCode: { kind: "switch", brief: "Exit with 2 when something differs" },
} as const satisfies FlagSpecs;
export const reconcileFlags = {
  dryRun: { kind: "switch", brief: "Show what differs and change nothing" },
  ...orphanFlags,
  ...consentFlag,
} as const satisfies FlagSpecs;
export const replayFlags = {
  dead: { kind: "switch", brief: "Messages that failed" },
  since: { kind: "value", brief: "Messages that came in since then, ISO 8601", placeholder: "time" },
  id: { kind: "value", brief: "One message, by its id", placeholder: "id" },
  ...consentFlag,
} as const satisfies FlagSpecs;
export const serveFlags = {
  port: { kind: "number", brief: "Port on 127.0.0.1 (default: 4040)", placeholder: "port" },
  path: { kind: "value", brief: "Path of the endpoint (default: /webhooks/clerk)", placeholder: "path" },
  ...consentFlag,
} as const satisfies FlagSpecs;
export const statusFlags = {} as const satisfies FlagSpecs;
export const showFlags = {} as const satisfies FlagSpecs;
export const schemaFlags = {
  format: { kind: "choice", brief: "What is printed (default: prisma)", values: ["prisma", "sql"] },
} as const satisfies FlagSpecs;

export const pullCommand = defineCommand(
  {
    description:
      "Lists everything that the provider has and writes it into live, a page at a time; a listing that was interrupted goes on where it was. Rows that the provider does not have stay: reconcile looks at those. A second pull changes no row.",
    flags: pullFlags,
    argument: null,
    examples: [
      { line: "replant identity pull", meaning: "fill the tables from the provider" },
      {
        line: "replant identity pull --remap-by email --dry-run",
        meaning: "who would become whom in another instance",
      },
    ],
    exits: [1, 3, 4],
  },
  () => import("./pull-handler.ts"),
);

export const driftCommand = defineCommand(
  {
    description:
      "Lists everything that the provider has and compares it with live: what only one of the two has, and which fields differ. Changes no row.",
    flags: driftFlags,
    argument: null,
    examples: [
      { line: "replant identity drift", meaning: "what differs, object by object" },
      { line: "replant identity drift --quick --exit-code", meaning: "a quick look, for scripts" },
    ],
    exits: [1, 2, 3],
  },
  () => import("./drift-handler.ts"),
);

export const reconcileCommand = defineCommand(
  {
    description:
      "Makes live equal to the provider: what it has is written, what it has no more is deleted by the rule, after it was asked for once more by its id. Ids that are gone never come back, whatever messages arrive later.",
    flags: reconcileFlags,
    argument: null,
    examples: [
      { line: "replant identity reconcile", meaning: "write what is there, delete softly what is not" },
      { line: "replant identity reconcile --dry-run", meaning: "only say what would change" },
    ],
    exits: [1, 2, 3, 4],
  },
  () => import("./reconcile-handler.ts"),
);

export const replayCommand = defineCommand(
  {
    description:
      "Applies messages of the inbox again: those that wait, and those that are named. Doing it twice changes nothing.",
    flags: replayFlags,
    argument: null,
    examples: [
      { line: "replant identity replay", meaning: "apply what waits" },
      { line: "replant identity replay --dead", meaning: "also what failed, once the cause is corrected" },
    ],
    exits: [1, 3, 4],
  },
  () => import("./replay-handler.ts"),
);

export const serveCommand = defineCommand(
  {
    description:
      "Receives webhooks: checks the signature, stores the message, answers, and applies it. The endpoint's secret comes from CLERK_WEBHOOK_SIGNING_SECRET or CLERK_WEBHOOK_SECRET; two with a comma between them while one replaces the other.",
    flags: serveFlags,
    argument: null,
    examples: [{ line: "replant identity serve --port 4040", meaning: "until Ctrl-C" }],
    exits: [1, 3],
  },
  () => import("./serve-handler.ts"),
);

export const statusCommand = defineCommand(
  {
    description:
      "The instance that live belongs to, the inbox, and the last complete listing. Asks the provider nothing.",
    flags: statusFlags,
    argument: null,
    examples: [{ line: "replant identity status", meaning: "how far live is behind" }],
    exits: [1],
  },
  () => import("./status-handler.ts"),
);

export const showCommand = defineCommand(
  {
    description: "One object: its row, its messages, whether it is gone, and why it is as it is.",
    flags: showFlags,
    argument: { placeholder: "id", brief: "The provider's id: user_..., org_... or orgmem_..." },
    examples: [{ line: "replant identity show user_2abc", meaning: "everything that is known of this user" }],
    exits: [1],
  },
  () => import("./show-handler.ts"),
);

export const schemaCommand = defineCommand(
  {
    description:
      "Prints the tables that identity-sync keeps its messages and tombstones in, for the project's own migrations: as Prisma models, or as SQL. Needs no database.",
    flags: schemaFlags,
    argument: null,
    examples: [
      { line: "replant identity schema", meaning: "Prisma models" },
      { line: "replant identity schema --format sql", meaning: "create table statements" },
    ],
    exits: [1],
  },
  () => import("./schema-handler.ts"),
);
