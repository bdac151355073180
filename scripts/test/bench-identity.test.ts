import { expect, onTestFinished, test } from "vitest";
import { measureIdentity } from "../lib/bench/areas/identity.ts";
import { areaLines } from "../lib/bench/report.ts";
import { startServer } from "../lib/bench/server.ts";

test("the figures of identity are of listings, comparisons and webhooks that were really done", async () => {
  const server = await startServer(18);
  onTestFinished(() => server.stop());
  const size = { objects: [1_600, 40, 2_100], development: [20, 5, 30], messages: 300 } as const;
  const result = await measureIdentity({ server: () => Promise.resolve(server), tell: () => {} }, size);
  const measured = new Map(result.figures?.map((figure) => [figure.name, figure]));
  // Four pages of users, one of organizations, five of memberships, and one to know the instance.
  expect(measured.get("first listing, requests")).toMatchObject({ goal: "<= 14", measured: "11" });
  expect(measured.get("second listing, rows changed")?.measured).toBe("0");
  expect(measured.get("at 1000/s, refused")?.measured).toBe("0");
  expect(measured.get("answered with 200 and lost by kill -9")?.measured).toBe("0 of 300");
  expect([...measured.values()].filter((figure) => figure.measured.includes("NaN"))).toEqual([]);
  expect(areaLines(result, 1).slice(0, 4)).toEqual([
    "identity: 1600 users, 40 organizations, 2100 memberships; once each",
    "",
    expect.stringMatching(/^ {2}figure +goal +measured$/),
    expect.stringMatching(/^ {2}-+ {3}-+ {3}-+$/),
  ]);
});
