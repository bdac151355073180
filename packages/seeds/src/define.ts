import { ReplantError } from "@replant/core";
import type { SeedContext } from "./context.ts";
import { callerOf, type Frame } from "./stack.ts";

/** What a seed file says about one seed. */
export interface SeedDefinition {
  /** Lower-case letters, digits and dashes; unique in the project. */
  readonly name: string;
  /** `system` (the default) is what the app needs to run; every other set is optional. */
  readonly set?: string;
  readonly description?: string;
  /** Names of the seeds whose rows this one needs. */
  readonly dependsOn?: readonly string[];
  /** Set for a seed that may rightly have nothing to write; any other fails when it wrote nothing into a new database. */
  readonly mayBeEmpty?: boolean;
  /** Writes the rows, in a transaction of its own. Runs again at each seeding: use `upsert`, or make it repeatable otherwise. */
  run(context: SeedContext): Promise<unknown> | void;
}

const mark = Symbol.for("@replant/seeds/seed");

/** A checked definition; only `defineSeed` makes it. */
export interface Seed extends Required<Omit<SeedDefinition, "description">> {
  readonly description: string | null;
  /** Where `defineSeed` was called; null where the runtime does not tell. */
  readonly site: Frame | null;
  readonly [mark]: true;
}

const namePattern = /^[a-z0-9][a-z0-9-]*$/;

/**
 * Declares a seed. Export the result: Replant runs every seed that the configured files export.
 * @example
 * export const servers = defineSeed({
 *   name: "servers",
 *   async run({ upsert }) {
 *     await upsert("mcp_servers", [{ server_key: "github", name: "GitHub" }], { key: ["server_key"] });
 *   },
 * });
 * @throws ReplantError REPLANT_SEED_INVALID naming everything that is wrong
 */
export function defineSeed(definition: SeedDefinition): Seed {
  const problems = problemsOf(definition);
  if (problems.length > 0) {
    throw new ReplantError("REPLANT_SEED_INVALID", "a seed is not defined correctly", { items: problems });
  }
  return Object.freeze({
    name: definition.name,
    set: definition.set ?? "system",
    description: definition.description ?? null,
    dependsOn: [...(definition.dependsOn ?? [])],
    mayBeEmpty: definition.mayBeEmpty ?? false,
    run: (context: SeedContext) => definition.run(context),
    site: callerOf(defineSeed),
    [mark]: true as const,
  });
}

/** True for what `defineSeed` of any copy of this package made. */
export function isSeed(value: unknown): value is Seed {
  return typeof value === "object" && value !== null && mark in value;
}

/** One line per name that is none. */
export function nameProblems(names: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(names)
    .filter(([, name]) => typeof name !== "string" || !namePattern.test(name))
    .map(([label, name]) => `${label} ${shown(name)} is not lower-case letters, digits and dashes`);
}

/** Called from JavaScript too, so nothing of the type can be relied on. */
function problemsOf(definition: unknown): string[] {
  if (typeof definition !== "object" || definition === null)
    return [`the definition ${shown(definition)} is no object`];
  const { name, set = "system", dependsOn = [], run } = definition as Record<string, unknown>;
  return [
    ...nameProblems({ name, set }),
    ...(Array.isArray(dependsOn)
      ? dependsOn.flatMap((needed: unknown) => nameProblems({ "dependsOn:": needed }))
      : [`dependsOn ${shown(dependsOn)} is no list of names`]),
    ...(typeof run === "function" ? [] : [`run ${shown(run)} is no function`]),
  ];
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
