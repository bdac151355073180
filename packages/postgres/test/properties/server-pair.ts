import { createDatabase } from "@replant/testkit";
import { onTestFinished } from "vitest";
import { openSession } from "../../src/server/session.ts";
import { parseServerUrl } from "../../src/server/url.ts";
import type { Pair } from "../shared/pairs.ts";

/** Two databases on PostgreSQL 15 for all cases of a test. */
export async function serverPair(): Promise<Pair> {
  const databases = [await createDatabase(15), await createDatabase(15)];
  const [live, candidate] = await Promise.all(
    databases.map(({ url, name }) => openSession(parseServerUrl(url), { database: name, applicationName: "replant" })),
  );
  if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
  onTestFinished(async () => {
    await live.close();
    await candidate.close();
    for (const database of databases) await database.drop();
  });
  return { live, candidate };
}
