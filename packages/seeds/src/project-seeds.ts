import type { SeedChoice, SeedInfo } from "@replant/core";
import { dependencyOrder, findCycle, ReplantError } from "@replant/core";
import type { CheckedCommandSeed } from "./command-seed.ts";
import type { Seed } from "./define.ts";

/** A seed that a file of the project exports. */
export interface FileSeed extends SeedInfo {
  readonly kind: "file";
  /** Absolute path of the file that exports it. */
  readonly file: string;
  readonly seed: Seed;
}

/** A seed of either kind, as the project has it. */
export type ProjectSeed = FileSeed | CheckedCommandSeed;

/**
 * All seeds in the order in which they would run: dependencies first, otherwise as found.
 * @throws ReplantError REPLANT_SEED_INVALID for a name used twice | REPLANT_SEED_UNKNOWN for a dependency that does not
 * exist | REPLANT_SEED_CYCLE
 */
export function orderSeeds(seeds: readonly ProjectSeed[]): ProjectSeed[] {
  const byName = new Map<string, ProjectSeed>();
  for (const seed of seeds) {
    const other = byName.get(seed.name);
    if (other !== undefined) {
      throw new ReplantError("REPLANT_SEED_INVALID", `two seeds are named "${seed.name}"`, {
        items: [other.where, seed.where],
        hint: "rename one of them",
      });
    }
    byName.set(seed.name, seed);
  }
  const dependencies = (seed: ProjectSeed): ProjectSeed[] =>
    seed.dependsOn.map((name) => dependency(seed, name, byName));
  const cycle = findCycle(seeds, dependencies);
  if (cycle !== null) {
    throw new ReplantError(
      "REPLANT_SEED_CYCLE",
      `seeds depend on each other in a circle: ${cycle.map((seed) => seed.name).join(" -> ")}`,
      { items: cycle.slice(1).map((seed) => `${seed.name}  ${seed.where}`) },
    );
  }
  return dependencyOrder(seeds, dependencies);
}

/**
 * The seeds of a choice with all that they depend on, in order; a dependency may belong to another set.
 * @param ordered what `orderSeeds` gave
 * @param defaultSets when the choice names none; those need not exist
 * @throws ReplantError REPLANT_SEED_UNKNOWN naming what is there
 */
export function chooseSeeds(
  ordered: readonly ProjectSeed[],
  choice: SeedChoice,
  defaultSets: readonly string[],
): ProjectSeed[] {
  assertKnown(
    "seed",
    choice.only ?? [],
    ordered.map((seed) => seed.name),
  );
  assertKnown(
    "set",
    choice.sets ?? [],
    ordered.map((seed) => seed.set),
  );
  const sets = choice.sets ?? defaultSets;
  const chosen = new Set(
    ordered
      .filter((seed) => (choice.only === null ? sets.includes(seed.set) : choice.only.includes(seed.name)))
      .map((seed) => seed.name),
  );
  // From the end: whatever needs a seed comes after it.
  for (const seed of ordered.toReversed()) {
    if (chosen.has(seed.name)) for (const name of seed.dependsOn) chosen.add(name);
  }
  return ordered.filter((seed) => chosen.has(seed.name));
}

function dependency(seed: ProjectSeed, name: string, byName: ReadonlyMap<string, ProjectSeed>): ProjectSeed {
  const found = byName.get(name);
  if (found !== undefined) return found;
  throw new ReplantError("REPLANT_SEED_UNKNOWN", `seed "${seed.name}" depends on "${name}", which does not exist`, {
    where: seed.where,
    hint: `the seeds are ${[...byName.keys()].join(", ")}`,
  });
}

function assertKnown(kind: "seed" | "set", wanted: readonly string[], there: readonly string[]): void {
  const unknown = wanted.find((name) => !there.includes(name));
  if (unknown === undefined) return;
  const names = [...new Set(there)].sort();
  throw new ReplantError("REPLANT_SEED_UNKNOWN", `there is no ${kind} named "${unknown}"`, {
    hint: names.length === 0 ? "the project has no seeds" : `the ${kind}s are ${names.join(", ")}`,
  });
}
