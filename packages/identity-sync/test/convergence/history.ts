import type { Kind, ProviderObject, SyncStore } from "../../src/index.ts";
import { drain, reconcile } from "../../src/index.ts";
import { readEvent } from "../../src/clerk/normalize.ts";
import type { Message } from "./world.ts";
import { World } from "./world.ts";
import type { Weather } from "./world.ts";

/** What a database ends with: what is alive, and the local id of each. */
export interface Ending {
  readonly objects: Readonly<Record<Kind, readonly ProviderObject[]>>;
  readonly localIds: ReadonlyMap<string, unknown>;
}

/** Who keeps a database equal to the world: the product, or the naive handler that shows what it is up against. */
export interface Keeper {
  /** True: promised. False: refused, it comes again. */
  accept(message: Message, world: World): Promise<boolean>;
  /** A complete listing, if it knows how to. */
  reconcile(world: World): Promise<void>;
  /** A reset: what is kept goes into another database, or, when it dies, does not. */
  reset(world: World): Promise<void>;
  ending(): Promise<Ending>;
}

/** One history from its beginning to its end. Returns what differs from the truth then; empty is right. */
export async function live(
  seed: number,
  weather: Weather,
  { operations, keeper }: { operations: number; keeper: Keeper },
): Promise<string[]> {
  const world = new World(seed, weather);
  const localIds = new Map<string, unknown>();
  const problems: string[] = [];
  const outageAt = weather.outage ? Math.floor(world.random() * operations) : -1;
  const moments = (count: number): Set<number> =>
    new Set(Array.from({ length: count }, () => Math.floor(world.random() * operations)));
  const [reconciles, resets] = [moments(weather.reconciles), moments(weather.resets)];
  let outageUntil = -1;
  const accept = async (message: Message): Promise<boolean> => {
    if (world.clock.now() < outageUntil) return false;
    return keeper.accept(message, world);
  };
  const note = async (): Promise<void> => {
    for (const [id, localId] of (await keeper.ending()).localIds) {
      if (localIds.has(id) && localIds.get(id) !== localId) problems.push(`${id} has another local id`);
      localIds.set(id, localId);
    }
  };
  for (let n = 0; n < operations; n += 1) {
    if (n === outageAt) outageUntil = world.clock.now() + 3_600_000;
    world.operate();
    await world.pass(world.clock.now() + world.random() * weather.paceMs, accept);
    if (reconciles.has(n)) await keeper.reconcile(world);
    if (resets.has(n)) await keeper.reset(world);
    if (reconciles.has(n) || resets.has(n)) await note();
  }
  await world.pass(Infinity, accept);
  // What was dropped only a listing can bring; what comes after it must not undo it.
  if (weather.dropped + weather.late > 0) {
    world.quiet = true;
    await keeper.reconcile(world);
  }
  for (const message of world.late) await keeper.accept(message, world);
  await note();
  return [...problems, ...differences(world, await keeper.ending())];
}

function differences(world: World, { objects }: Ending): string[] {
  return (["user", "organization", "membership"] as const).flatMap((kind) => {
    const truth = new Map(world.truth(kind).map((object) => [object.id, object]));
    const found = new Map(objects[kind].map((object) => [object.id, object]));
    return [
      ...[...truth].flatMap(([id, is]) => {
        const has = found.get(id);
        if (has === undefined) return [`${id} is missing`];
        // A database has the fields that its mapping names.
        const told = JSON.stringify([has.fields, has.joins]);
        const expected = JSON.stringify([
          Object.fromEntries(Object.keys(has.fields).map((field) => [field, is.fields[field] ?? null])),
          has.joins === null
            ? null
            : Object.fromEntries(Object.keys(has.joins).map((key) => [key, is.joins?.[key as "user"]])),
        ]);
        return told === expected ? [] : [`${id}: ${told} is ${expected}`];
      }),
      ...[...found.keys()].filter((id) => !truth.has(id)).map((id) => `${id} is not there any more`),
    ];
  });
}

export interface KeeperStore {
  readonly store: SyncStore;
  /** Called before each transaction commits; throws to crash. */
  readonly crash: (work: (() => void) | null) => void;
  readonly reset: () => Promise<void>;
  readonly ending: () => Promise<Ending>;
}

class Crash extends Error {}

/** The product: inbox, drain, reconcile. */
export function createKeeper({ store, crash, reset, ending }: KeeperStore): Keeper {
  const crashing = async <Value>(world: World, work: () => Promise<Value>): Promise<Value | null> => {
    crash(() => {
      if (world.random() < world.weather.crashes) throw new Crash();
    });
    try {
      return await work();
    } catch (error) {
      if (error instanceof Crash) return null;
      throw error;
    } finally {
      crash(null);
    }
  };
  const apply = async (world: World): Promise<void> => {
    await crashing(world, () => drain(store, { read: readEvent, batch: 1 + Math.floor(world.random() * 5) }));
  };
  return {
    accept: async ({ id, body }, world) => {
      await store.inbox.receive({ id, body, verified: true, event: readEvent(body) });
      // Sometimes it is applied at once, sometimes with those that follow.
      if (world.random() < 0.7) await apply(world);
      return true;
    },
    reconcile: async (world) => {
      const between = async (): Promise<void> => {
        if (!world.quiet && world.random() < 0.2) world.operate();
      };
      const provider = world.provider({ pageSize: 1 + Math.floor(world.random() * 5), between });
      for (let done = false; !done;) {
        const made = await crashing(world, () => reconcile(provider, store, { alarmShare: 1 }));
        done = made !== null;
      }
    },
    reset: async () => reset(),
    ending: async () => {
      await drain(store, { read: readEvent });
      return ending();
    },
  };
}
