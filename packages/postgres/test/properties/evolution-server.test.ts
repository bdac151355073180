import { expect, test } from "vitest";
import { serverSessions } from "../shared/sessions.ts";
import { checkEvolutions, usualEvolutions } from "./evolution/run.ts";

test("generated migrations over generated rows on PostgreSQL 15", { timeout: 1_800_000 }, async () => {
  const [live, scratch, candidate] = await serverSessions(15)(3);
  if (live === undefined || scratch === undefined || candidate === undefined) throw new Error("three were asked for");
  const counts = await checkEvolutions({ live, scratch, candidate }, { numRuns: usualEvolutions, seed: 1 });
  expect(counts.checked).toBe(usualEvolutions);
  console.log(counts);
});
