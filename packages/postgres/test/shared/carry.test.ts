import { describe } from "vitest";
import type { Pair } from "./carry-cases.ts";
import { carryCases } from "./carry-cases.ts";
import { serverSessions } from "./sessions.ts";

describe.each([15, 18] as const)("carrying on PostgreSQL %i", (major) => {
  const open = serverSessions(major);
  carryCases(async (): Promise<Pair> => {
    const [live, candidate] = await open(2);
    if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
    return { live, candidate };
  });
});
