/*
 * One piece of work on the database of DATABASE_URL: sync.ts pull | drift | look | reconcile | apply. Prints what came of it, how
 * long it took without the start of the process, and the most memory that the process has had.
 */
import type { IdentityProvider, ProviderObject } from "../../../../packages/identity-sync/src/index.ts";
import {
  adoptPlaceholders,
  applyChanges,
  drain,
  drift,
  kinds,
  pull,
  quickDrift,
  reconcile,
} from "../../../../packages/identity-sync/src/index.ts";
import { clerkProvider } from "../../../../packages/identity-sync/src/clerk/index.ts";
import { madeUp } from "./made-up.ts";
import { openStore } from "./store.ts";

const { CLERK_SECRET_KEY: secretKey = "", CLERK_API_URL: apiUrl = "" } = process.env;
const clerk = (): IdentityProvider => clerkProvider({ secretKey, apiUrl });
const store = await openStore();

const works: Readonly<Record<string, () => Promise<object>>> = {
  pull: () => pull(clerk(), store),
  look: () => quickDrift(clerk(), store),
  drift: async () => ({ equal: (await drift(clerk(), store)).equal }),
  // What follows a reset.
  reconcile: async () => {
    const provider = clerk();
    await drain(store, { read: provider.readEvent });
    await adoptPlaceholders(provider, store);
    return reconcile(provider, store);
  },
  apply: async () => {
    const objects = madeUp(...(process.argv.slice(3).map(Number) as [number, number, number]));
    const rates: Record<string, number> = {};
    for (const kind of kinds) {
      rates[kind] = await rateOf(objects[kind], async (page) => {
        const told = page.map((object) => ({ change: { type: "present", object }, from: "listing" }) as const);
        await store.apply((transaction) => applyChanges(transaction, told));
      });
    }
    const compareStartedAt = performance.now();
    for (const kind of kinds) {
      await rateOf(objects[kind], async (page) => {
        await store.apply((transaction) => transaction.compare(kind, page));
      });
    }
    return { ...rates, compareMs: performance.now() - compareStartedAt };
  },
};

/** Objects per second, in pages of 500 as a listing has them. */
async function rateOf(
  objects: readonly ProviderObject[],
  work: (page: readonly ProviderObject[]) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  for (let at = 0; at < objects.length; at += 500) await work(objects.slice(at, at + 500));
  return objects.length / ((performance.now() - startedAt) / 1000);
}

const work = works[process.argv[2] ?? ""];
if (work === undefined) throw new Error(`there is no work ${process.argv[2]}`);
const startedAt = performance.now();
const came = await work();
const elapsedMs = performance.now() - startedAt;
await store.close();
console.log(JSON.stringify({ ...came, elapsedMs, peakBytes: process.resourceUsage().maxRSS * 1024 }));
