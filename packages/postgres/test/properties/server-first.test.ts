import { expect, test } from "vitest";
import { checkCases, usualRuns } from "./run.ts";
import { openPair } from "../shared/pairs.ts";
import { serverSessions } from "../shared/sessions.ts";

// One half of the cases, so that two workers share them.
test("generated schemas, evolutions and rows on PostgreSQL 15, the first half", { timeout: 1_800_000 }, async () => {
  expect(await checkCases(await openPair(serverSessions(15)), { numRuns: usualRuns, seed: 1 })).toBe(usualRuns);
});
