import { createDatabase } from "@replant/testkit";
import { describe, onTestFinished } from "vitest";
import { openSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/url.ts";
import type { Pair } from "./carry-cases.ts";
import { carryCases } from "./carry-cases.ts";

describe.each([15, 18] as const)("carrying on PostgreSQL %i", (major) => {
  carryCases(async (): Promise<Pair> => {
    const databases = [await createDatabase(major), await createDatabase(major)];
    const [live, candidate] = await Promise.all(
      databases.map(({ url, name }) =>
        openSession(parseServerUrl(url), { database: name, applicationName: "replant" }),
      ),
    );
    if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
    onTestFinished(async () => {
      await live.close();
      await candidate.close();
      for (const database of databases) await database.drop();
    });
    return { live, candidate };
  });
});
