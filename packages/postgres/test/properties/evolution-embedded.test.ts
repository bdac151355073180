import { describe, expect, test } from "vitest";
import { embeddedSessions } from "../shared/sessions.ts";
import { checkEvolutions, usualEvolutions } from "./evolution/run.ts";
import { openTrio } from "./evolution/trio.ts";

describe("on the embedded engine", () => {
  const open = embeddedSessions();
  test("a tenth of the generated migrations over generated rows", { timeout: 1_800_000 }, async () => {
    const numRuns = Math.ceil(usualEvolutions / 10);
    const { replayed, stopped } = await checkEvolutions(await openTrio(open), { numRuns, seed: 2 });
    expect(replayed + stopped).toBe(numRuns);
  });
});
