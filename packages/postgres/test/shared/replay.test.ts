import { describe } from "vitest";
import { replayCases } from "./replay-cases.ts";
import { embeddedSessions, serverSessions } from "./sessions.ts";

describe.each([15, 18] as const)("replaying on PostgreSQL %i", (major) => {
  replayCases(serverSessions(major));
});
describe("replaying on the embedded engine", () => {
  replayCases(embeddedSessions());
});
