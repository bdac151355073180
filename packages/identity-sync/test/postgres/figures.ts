/*
 * Prints how fast the store writes and compares, in batches of 500 as a pull has them. By hand:
 *   pnpm exec node packages/identity-sync/test/postgres/figures.ts
 */
import { readdirSync, readFileSync } from "node:fs";
import { openServer } from "@replant/postgres/server";
import { startPostgres } from "@replant/testkit";
import type { ProviderObject } from "../../src/index.ts";
import { applyChanges, kinds, referenceMapping } from "../../src/index.ts";
import { openIdentityStore } from "../../src/postgres/index.ts";
import { membership, organization, user } from "../objects.ts";

const [users, organizations, memberships] = [95_000, 5_000, 200_000];
const batch = 500;

const objects: Readonly<Record<(typeof kinds)[number], readonly ProviderObject[]>> = {
  user: Array.from({ length: users }, (_, n) => user(`user_${n}`)),
  organization: Array.from({ length: organizations }, (_, n) => organization(`org_${n}`)),
  membership: Array.from({ length: memberships }, (_, n) =>
    membership(`mem_${n}`, {
      user: `user_${n % users}`,
      organization: `org_${(n + Math.floor(n / users)) % organizations}`,
    }),
  ),
};

const server = await startPostgres(18);
try {
  const engine = openServer({ url: server.url() });
  const live = await engine.liveRef();
  if (live === null) throw new Error("the database is not there");
  const session = await engine.connect(live);
  const migrations = new URL("../../../database/prisma/migrations/", import.meta.url);
  const folders = readdirSync(migrations, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of folders.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    await session.script(readFileSync(new URL(`${name}/migration.sql`, migrations), "utf8"));
  }
  const store = await openIdentityStore(() => engine.connect(live), referenceMapping);
  const measure = async (what: string, work: (page: readonly ProviderObject[]) => Promise<number>): Promise<void> => {
    for (const kind of kinds) {
      const start = performance.now();
      let rows = 0;
      for (let at = 0; at < objects[kind].length; at += batch) rows += await work(objects[kind].slice(at, at + batch));
      const seconds = (performance.now() - start) / 1000;
      const rate = Math.round(objects[kind].length / seconds);
      console.log(`${what} ${kind}s: ${objects[kind].length} in ${seconds.toFixed(2)} s, ${rate}/s, ${rows} rows`);
    }
  };
  const list = async (page: readonly ProviderObject[]): Promise<number> => {
    const told = page.map((object) => ({ change: { type: "present", object }, from: "listing" }) as const);
    return (await store.apply((transaction) => applyChanges(transaction, told))).rowsChanged;
  };
  await measure("first", list);
  await measure("again", list);
  await measure("compare", async (page) => {
    const [first] = page;
    if (first === undefined) return 0;
    const found = await store.apply((transaction) => transaction.compare(first.kind, page));
    return found.missing.length + found.different.length;
  });
  await store.close();
  await engine.close();
} finally {
  await server.stop();
}
