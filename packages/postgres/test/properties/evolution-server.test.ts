import { expect, test } from "vitest";
import { serverSessions } from "../shared/sessions.ts";
import { checkEvolutions, usualEvolutions } from "./evolution/run.ts";
import { openTrio } from "./evolution/trio.ts";

test("generated migrations over generated rows on PostgreSQL 15", { timeout: 1_800_000 }, async () => {
  const trio = await openTrio(serverSessions(15));
  const { replayed, stopped, mapped } = await checkEvolutions(trio, { numRuns: usualEvolutions, seed: 1 });
  expect(replayed + stopped).toBe(usualEvolutions);
  // Each way was gone often enough to say something about it.
  expect(Math.min(replayed / 2, stopped * 2, mapped / 2)).toBeGreaterThan(usualEvolutions / 10);
});
