import { expect, test } from "vitest";
import type { Kind, ProviderObject } from "../../src/index.ts";
import { readEvent } from "../../src/clerk/normalize.ts";
import { MemoryStore } from "../memory-store.ts";
import type { Ending, Keeper } from "./history.ts";
import { createKeeper, live } from "./history.ts";
import type { Weather } from "./world.ts";

const fine: Weather = {
  paceMs: 1000,
  jitterMs: 0,
  repeated: 0,
  dropped: 0,
  late: 0,
  outage: false,
  crashes: 0,
  reconciles: 0,
  resets: 0,
};

const weathers: readonly (readonly [string, Weather])[] = [
  ["in a burst, out of order and doubled", { ...fine, paceMs: 5, jitterMs: 5000, repeated: 0.1 }],
  ["slowly, with an hour of outage", { ...fine, paceMs: 60_000, jitterMs: 5000, repeated: 0.05, outage: true }],
  [
    "with lost messages, listings, and messages after them",
    { ...fine, paceMs: 200, jitterMs: 2000, dropped: 0.03, late: 0.05, reconciles: 2 },
  ],
  [
    "with crashes, resets and everything else",
    {
      ...fine,
      paceMs: 2000,
      jitterMs: 60_000,
      repeated: 0.1,
      dropped: 0.02,
      late: 0.03,
      outage: true,
      crashes: 0.2,
      reconciles: 2,
      resets: 2,
    },
  ],
];

/** Histories in all; a person who looks for a rare fault sets more. */
const histories = Number(process.env["REPLANT_HISTORIES"] ?? 10_000);

test.each(weathers)("the database ends like the provider %s", async (_name, weather) => {
  for (let n = 0; n < histories / weathers.length; n += 1) {
    const problems = await live(n, weather, { operations: 30, keeper: memoryKeeper() });
    expect(problems, `history ${n}`).toEqual([]);
  }
});

test("a handler that does what events say ends otherwise in the same weathers", async () => {
  const wrong = await Promise.all(
    weathers.map(async ([, weather]) => {
      let count = 0;
      for (let n = 0; n < 50; n += 1) {
        if ((await live(n, weather, { operations: 30, keeper: naiveKeeper() })).length > 0) count += 1;
      }
      return count;
    }),
  );
  expect(Math.min(...wrong)).toBeGreaterThan(10);
});

function memoryKeeper(): Keeper {
  const store = new MemoryStore();
  return createKeeper({
    store,
    crash: (work) => {
      store.beforeCommit = work;
    },
    // What is kept comes back with its local ids; what a listing had seen so far does not.
    reset: async () =>
      store.apply((transaction) => transaction.forgetSeen().then(() => transaction.setState({ pull: null }))),
    ending: async () => endingOf(store),
  });
}

function endingOf({ state }: MemoryStore): Ending {
  const alive = (kind: Kind): ProviderObject[] =>
    [...state.rows[kind].values()].filter(({ deleted }) => !deleted).map(({ object }) => object);
  return {
    objects: { user: alive("user"), organization: alive("organization"), membership: alive("membership") },
    localIds: new Map(
      [...state.rows.user, ...state.rows.organization].map(([id, { localId }]) => [id, localId] as const),
    ),
  };
}

/** Insert or update what comes, delete what goes. */
function naiveKeeper(): Keeper {
  const objects: Record<Kind, Map<string, ProviderObject>> = {
    user: new Map(),
    organization: new Map(),
    membership: new Map(),
  };
  return {
    accept: async ({ body }) => {
      const { change } = readEvent(body);
      if (change?.type === "present") objects[change.object.kind].set(change.object.id, change.object);
      if (change?.type === "gone") objects[change.kind].delete(change.id);
      return true;
    },
    reconcile: async () => undefined,
    reset: async () => undefined,
    ending: async () => ({
      objects: {
        user: [...objects.user.values()],
        organization: [...objects.organization.values()],
        membership: [...objects.membership.values()],
      },
      localIds: new Map(),
    }),
  };
}
