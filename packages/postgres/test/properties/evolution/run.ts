import * as fc from "fast-check";
import { expect } from "vitest";
import { usualRuns } from "../run.ts";
import { checkEvolution, type Trio } from "./check.ts";
import { evolutionSpec } from "./spec.ts";

/** Cases of a usual run on a server, of which each is carried over two rungs: 300 beside the 700 that go by name. */
export const usualEvolutions = Math.ceil((usualRuns * 6) / 7);

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
      counts[replayed ? "replayed" : "stopped"] += 1;
      if (mapped) counts.mapped += 1;
    }),
    { numRuns, seed: Number(process.env["REPLANT_SEED"] ?? seed) },
  );
  expect(counts.checked).toBe(numRuns);
  return counts;
}
