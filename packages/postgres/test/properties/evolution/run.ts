import * as fc from "fast-check";
import { expect } from "vitest";
import { checkEvolution, type Trio } from "./check.ts";
import { evolutionSpec } from "./spec.ts";

/** How many cases a usual run takes on a server; `REPLANT_CASES` asks for more or less in proportion, `REPLANT_SEED` for other ones. */
export const usualEvolutions = Math.ceil(Number(process.env["REPLANT_CASES"] ?? 350) / 2);

/** Runs generated cases and tells how many held on each rung; fast-check prints the seed and the smallest case that fails. */
export async function checkEvolutions(
  trio: Trio,
  { numRuns, seed }: { numRuns: number; seed: number },
): Promise<{ checked: number; replayed: number; stopped: number; mapped: number }> {
  const counts = { checked: 0, replayed: 0, stopped: 0, mapped: 0 };
  await fc.assert(
    fc.asyncProperty(evolutionSpec, async (spec) => {
      const { replayed, mapped } = await checkEvolution(trio, spec);
      counts.checked += 1;
      counts[replayed === "whole" ? "replayed" : "stopped"] += 1;
      if (mapped) counts.mapped += 1;
    }),
    { numRuns, seed: Number(process.env["REPLANT_SEED"] ?? seed) },
  );
  expect(counts.checked).toBe(numRuns);
  return counts;
}
