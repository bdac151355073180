import { describe } from "vitest";
import type { Pair } from "./carry-cases.ts";
import { carryCases } from "./carry-cases.ts";
import { embeddedSessions } from "./sessions.ts";

describe("carrying on the embedded engine", () => {
  const open = embeddedSessions();
  carryCases(async (): Promise<Pair> => {
    const [live, candidate] = await open(2);
    if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
    return { live, candidate };
  });
});
