import { describe, expect, test } from "vitest";
import type { GuardSignals } from "../src/index.ts";
import { assertMayReplace, isReplantError } from "../src/index.ts";

const development: GuardSignals = {
  database: "app_dev",
  location: "127.0.0.1:5432",
  source: "DATABASE_URL of the shell",
  local: true,
  productionVariables: [],
  liveKeys: [],
  environment: null,
  consent: null,
  alternative: null,
};

function codeOf(signals: Partial<GuardSignals>): string | null {
  try {
    assertMayReplace({ ...development, ...signals });
    return null;
  } catch (error) {
    return isReplantError(error) ? error.code : String(error);
  }
}

describe("the guard", () => {
  test.each<[string, Partial<GuardSignals>, string | null]>([
    ["a local development database", {}, null],
    ["a name that only contains the letters", { database: "products_dev" }, null],
    ["a name that says prod", { database: "app-prod" }, "REPLANT_GUARD_PRODUCTION"],
    ["a name that says production", { database: "production" }, "REPLANT_GUARD_PRODUCTION"],
    [
      "a host that says prod",
      { location: "db-prod.internal:5432", local: false, consent: "app_dev" },
      "REPLANT_GUARD_PRODUCTION",
    ],
    ["a production mark", { environment: "production" }, "REPLANT_GUARD_PRODUCTION"],
    ["a development mark", { environment: "development" }, null],
    ["NODE_ENV", { productionVariables: ["NODE_ENV=production"] }, "REPLANT_GUARD_PRODUCTION"],
    ["a live key", { liveKeys: ["CLERK_SECRET_KEY starts with sk_live_"] }, "REPLANT_GUARD_PRODUCTION"],
    ["another machine", { local: false, location: "db.example.com:5432" }, "REPLANT_GUARD_REMOTE"],
    ["another machine, the wrong name", { local: false, consent: "app" }, "REPLANT_GUARD_REMOTE"],
    ["another machine, named", { local: false, consent: "app_dev" }, null],
  ])("%s", (_name, signals, expected) => {
    expect(codeOf(signals)).toBe(expected);
  });

  test("consent never outweighs a sign of production", () => {
    for (const sign of [
      { environment: "production" },
      { productionVariables: ["NODE_ENV=production"] },
      { liveKeys: ["CLERK_SECRET_KEY starts with sk_live_"] },
      { database: "app_prod" },
    ]) {
      expect(codeOf({ ...sign, consent: sign.database ?? "app_dev" })).toBe("REPLANT_GUARD_PRODUCTION");
    }
  });
});

test.each([
  [{}, "use the keys of a development instance"],
  [{ database: "app-prod" }, "point the connection at a development database"],
])("a live key, with %j besides, is answered by what to change", (besides, hint) => {
  const signals = { ...development, liveKeys: ["CLERK_SECRET_KEY starts with sk_live_"], ...besides };
  expect(() => assertMayReplace(signals)).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ hint: expect.stringContaining(hint) as string }) as object,
    }),
  );
});
