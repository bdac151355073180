import { expect, test } from "vitest";
import { checkCases, usualRuns } from "./run.ts";
import { serverPair } from "./server-pair.ts";

// One half of the cases, so that two workers share them.
test("generated schemas, evolutions and rows on PostgreSQL 15, the second half", { timeout: 1_800_000 }, async () => {
  expect(await checkCases(await serverPair(), { numRuns: usualRuns, seed: 2 })).toBe(usualRuns);
});
