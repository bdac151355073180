import type { Environment } from "./interaction.ts";

/** A flag as Stricli, the documentation and the check for swallowed flags read it. */
export type FlagSpec =
  | { readonly kind: "switch"; readonly brief: string }
  /** `alias` is one letter: `-o`. */
  | { readonly kind: "value"; readonly brief: string; readonly placeholder: string; readonly alias?: string }
  | { readonly kind: "number"; readonly brief: string; readonly placeholder: string }
  /** May be given more than once; `separator` also splits one value. */
  | { readonly kind: "list"; readonly brief: string; readonly placeholder: string; readonly separator: "," | null }
  | { readonly kind: "choice"; readonly brief: string; readonly values: readonly string[] };

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** What a handler gets for the flags of its command. */
export type FlagValues<Specs extends FlagSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { kind: "switch" }
    ? boolean
    : Specs[Name] extends { kind: "list" }
      ? readonly string[] | undefined
      : Specs[Name] extends { kind: "number" }
        ? number | undefined
        : string | undefined;
};

/** Flags that every command has. */
export const commonFlags = {
  json: {
    kind: "choice",
    brief: "Print one JSON document on stdout; --json=stream prints events as they happen, one per line",
    values: ["document", "stream"],
  },
  debug: { kind: "switch", brief: "Show stacks of errors" },
  noColor: { kind: "switch", brief: "No colour" },
} as const satisfies FlagSpecs;

/** Consent by name, for every command that changes live. */
export const consentFlag = {
  yes: {
    kind: "value",
    brief: "Agree to what would be lost, and to a database on another machine, by naming the database",
    placeholder: "database",
  },
} as const satisfies FlagSpecs;

/** Several processes that build one new database together. */
export const chainFlag = {
  chain: {
    kind: "switch",
    brief: "Take part in the chain backup, reset, seed, restore; only its last task changes live",
  },
} as const satisfies FlagSpecs;

/** Which seeds fill the new database. */
export const setFlag = {
  set: {
    kind: "list",
    brief: "Run this seed set instead of those of the configuration; may be given more than once",
    placeholder: "set",
    separator: ",",
  },
} as const satisfies FlagSpecs;

/** The flags of commands that carry rows. */
export const carryFlags = {
  acceptLoss: {
    kind: "list",
    brief: "Let rows of these tables stay behind when they do not fit; they remain in the backup",
    placeholder: "tables",
    separator: ",",
  },
  noReplay: {
    kind: "switch",
    brief: "Carry columns by name and by rule, although pending migrations could run over the kept rows",
  },
  keepFailed: { kind: "switch", brief: "Leave the new database in place when the run fails" },
} as const satisfies FlagSpecs;

/** What every reference to a backup may be, for help and documentation. */
export const referenceBrief =
  "Id, the beginning of an id, a label, a path, a .replant file, latest, or latest~1 for the one before it";

/** `acceptLoss` as it is typed: `accept-loss`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What is wrong with a command line before it is parsed. */
export interface ArgumentProblem {
  readonly code: "REPLANT_USAGE" | "REPLANT_FLAG_SWALLOWED";
  readonly message: string;
  readonly why?: string;
  readonly hint: string;
}

/** The command line, ready to be parsed, and what has to be known even when parsing fails. */
export interface Arguments {
  readonly argv: readonly string[];
  readonly json: "document" | "stream" | null;
  readonly debug: boolean;
  readonly noColor: boolean;
  readonly problem: ArgumentProblem | null;
}

/**
 * Brings a command line into the one form that is parsed: a `--` that a package manager left in is dropped, `help` is a flag, a
 * bare `--json` has its value, and flags that npm kept for itself are given back or refused.
 * @param options.flags of the command that the line names
 * @param options.known names of the flags of all commands; nothing is looked for where `runByNpm` says no
 */
export function readArguments(
  raw: readonly string[],
  { env, flags, known }: { env: Environment; flags: FlagSpecs; known: readonly string[] },
): Arguments {
  const given = raw[0] === "help" ? [...raw.slice(1), "--help"] : [...raw];
  const separator = given.indexOf("--");
  if (separator !== -1) given.splice(separator, 1);
  const swallowed = swallowedByNpm(env, known);
  const canDryRun = "dryRun" in flags;
  if (swallowed.honoured.includes("json") && !given.some((word) => /^--json(=|$)/.test(word))) given.push("--json");
  if (swallowed.honoured.includes("dryRun") && canDryRun && !given.includes("--dry-run")) given.push("--dry-run");
  const argv = given.map((word) => (word === "--json" ? "--json=document" : word));
  const json = argv.findLast((word) => word.startsWith("--json="));
  return {
    argv,
    json: json === undefined ? null : json === "--json=stream" ? "stream" : "document",
    debug: argv.includes("--debug"),
    noColor: argv.includes("--no-color"),
    problem: problemOf({ argv, swallowed, canDryRun, env }),
  };
}

function problemOf({
  argv,
  swallowed,
  canDryRun,
  env,
}: {
  argv: readonly string[];
  swallowed: ReturnType<typeof swallowedByNpm>;
  canDryRun: boolean;
  env: Environment;
}): ArgumentProblem | null {
  // A run that was meant to be a rehearsal must never be a real one.
  const refused = [...swallowed.refused, ...(swallowed.honoured.includes("dryRun") && !canDryRun ? ["dryRun"] : [])];
  const [first] = refused;
  if (first !== undefined) {
    const flags = refused.map((name) => `--${kebab(name)}`).join(" ");
    return {
      code: "REPLANT_FLAG_SWALLOWED",
      message: `npm kept ${flags} for itself, so Replant never saw it`,
      why: "npm passes on only what stands after --",
      hint: `npm run ${env["npm_lifecycle_event"] ?? "<script>"} -- ${flags}`,
    };
  }
  if (argv.includes("--yes")) {
    return {
      code: "REPLANT_USAGE",
      message: "--yes agrees to nothing by itself: it has to name the database",
      hint: "--yes=<database>, with the name that the first line of the output shows",
    };
  }
  return null;
}

/** Flags that carry a meaning for npm's readers only, or that change nothing but looks. */
const harmless = new Set(["debug", "noColor"]);

/** True in a script that npm runs. Under npx there is no script: everything after the command's name is the command's. */
export function runByNpm(env: Environment): boolean {
  const event = env["npm_lifecycle_event"];
  return env["npm_config_user_agent"]?.startsWith("npm/") === true && event !== undefined && event !== "npx";
}

/** The words of a command line that may name a command. */
export function wordsOf(raw: readonly string[]): string[] {
  return (raw[0] === "help" ? raw.slice(1) : raw).filter((word) => !word.startsWith("-"));
}

/** `npm run x --flag` gives the script no argument, only a variable `npm_config_flag`. Other package managers forward flags. */
function swallowedByNpm(env: Environment, known: readonly string[]): { honoured: string[]; refused: string[] } {
  if (!runByNpm(env)) return { honoured: [], refused: [] };
  const present = [...new Set([...known, "confirm"])].filter((name) => {
    const value = env[`npm_config_${kebab(name).replaceAll("-", "_")}`];
    return value !== undefined && value !== "" && value !== "false" && value !== "null";
  });
  const honoured: string[] = present.filter((name) => name === "dryRun" || name === "json");
  return { honoured, refused: present.filter((name) => !honoured.includes(name) && !harmless.has(name)) };
}
