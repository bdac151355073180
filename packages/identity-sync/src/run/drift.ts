import type { Kind } from "../model/objects.ts";
import { kinds } from "../model/objects.ts";
import type { IdentityProvider } from "../ports/provider.ts";
import type { FieldDifference, SyncStore } from "../ports/sync.ts";
import type { PullProgress } from "./pull.ts";
import { assertInstance, walk } from "./pull.ts";

/** How one kind differs. */
export interface KindDrift {
  readonly kind: Kind;
  readonly inProvider: number;
  readonly inDatabase: number;
  /** Ids that only one of the two has. */
  readonly onlyProvider: readonly string[];
  readonly onlyDatabase: readonly string[];
  readonly different: readonly FieldDifference[];
}

export interface Drift {
  readonly equal: boolean;
  readonly kinds: readonly KindDrift[];
}

export interface QuickDrift {
  /** False: something differs for certain. True: counts are equal and no user has changed since; more is not known. */
  readonly equal: boolean;
  readonly kinds: readonly { readonly kind: Kind; readonly inProvider: number; readonly inDatabase: number }[];
  /** True: a user was changed after the last complete listing. */
  readonly usersChanged: boolean;
}

/**
 * Compares everything and writes nothing but what it has seen.
 * @throws ReplantError what `pull` throws before it writes
 */
export async function drift(
  provider: IdentityProvider,
  store: SyncStore,
  {
    onProgress,
    signal,
  }: { readonly onProgress?: (progress: PullProgress) => void; readonly signal?: AbortSignal } = {},
): Promise<Drift> {
  const instance = await provider.instance();
  const state = await store.apply((transaction) => transaction.state());
  assertInstance(state, instance);
  const found: KindDrift[] = [];
  for (const kind of kinds) {
    const seen = new Set<string>();
    const missing: string[] = [];
    const different: FieldDifference[] = [];
    await walk(provider, kind, { signal }, async ({ objects, total }) => {
      const fresh = objects.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      const compared = await store.apply((transaction) => transaction.compare(kind, fresh));
      missing.push(...compared.missing);
      different.push(...compared.different);
      onProgress?.({ kind, listed: seen.size, total });
    });
    const { rows, ids } = await store.apply(async (transaction) => ({
      rows: await transaction.count(kind),
      ids: await transaction.ids(kind),
    }));
    const suspects = ids.filter(({ id }) => !seen.has(id));
    // A listing is no proof of absence.
    const there = new Set(suspects.length === 0 ? [] : (await provider.find(kind, suspects)).map(({ id }) => id));
    found.push({
      kind,
      inProvider: seen.size + there.size,
      inDatabase: rows,
      onlyProvider: missing,
      onlyDatabase: suspects.flatMap(({ id }) => (there.has(id) ? [] : [id])),
      different,
    });
  }
  const equal = found.every(
    ({ onlyProvider, onlyDatabase, different }) => onlyProvider.length + onlyDatabase.length + different.length === 0,
  );
  return { equal, kinds: found };
}

/** What four requests can tell. */
export async function quickDrift(provider: IdentityProvider, store: SyncStore): Promise<QuickDrift> {
  const look = await provider.look();
  return store.apply(async (transaction) => {
    const { lastFull } = await transaction.state();
    const counted: { kind: Kind; inProvider: number; inDatabase: number }[] = [];
    for (const kind of kinds) {
      counted.push({ kind, inProvider: look.counts[kind], inDatabase: await transaction.count(kind) });
    }
    const usersChanged = look.newestUserAt !== null && look.newestUserAt > (await transaction.newestUserAt());
    const equal = lastFull !== null && !usersChanged && counted.every((kind) => kind.inProvider === kind.inDatabase);
    return { equal, kinds: counted, usersChanged };
  });
}
