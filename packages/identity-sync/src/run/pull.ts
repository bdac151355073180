import { ReplantError } from "@replant/core";
import type { Kind } from "../model/objects.ts";
import { kinds } from "../model/objects.ts";
import type { IdentityProvider, Page, ProviderInstance } from "../ports/provider.ts";
import type { PullState, SyncState, SyncStore, SyncTransaction } from "../ports/sync.ts";
import type { Told } from "./apply.ts";
import { applyChanges } from "./apply.ts";

export interface PullProgress {
  readonly kind: Kind;
  readonly listed: number;
  /** Null where the provider does not say it. */
  readonly total: number | null;
}

export interface PullOptions {
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
}

export interface Pulled {
  readonly instance: Pick<ProviderInstance, "id" | "environment">;
  readonly startedAt: number;
  /** True: an earlier listing was gone on with. */
  readonly resumed: boolean;
  readonly counts: Readonly<Record<Kind, number>>;
  readonly rowsChanged: number;
}

/** A listing that was interrupted is gone on with for so long. */
const resumableMs = 24 * 3_600_000;

const nothing: Readonly<Record<Kind, number>> = { user: 0, organization: 0, membership: 0 };

/**
 * Writes everything that the provider has into the database, page by page, and remembers after each page how far it has come.
 * Rows that the provider does not have stay as they are; `reconcile` looks at them.
 * @throws ReplantError REPLANT_IDENTITY_INSTANCE for another instance | REPLANT_IDENTITY_PRODUCTION |
 * REPLANT_IDENTITY_PROVIDER
 */
export async function pull(provider: IdentityProvider, store: SyncStore, options: PullOptions = {}): Promise<Pulled> {
  const pulled = await list(provider, store, options);
  await store.apply((transaction) => finish(transaction, pulled));
  return pulled;
}

/** Everything but the end: what was seen is still known. */
export async function list(
  provider: IdentityProvider,
  store: SyncStore,
  { onProgress, signal }: PullOptions,
): Promise<Pulled> {
  const instance = await provider.instance();
  const { begin, resumed } = await store.apply(async (transaction) => beginPull(transaction, instance));
  const listed: Record<Kind, number> = { ...begin.listed };
  let rowsChanged = 0;
  for (const kind of kinds.slice(kinds.indexOf(begin.kind))) {
    const after = kind === begin.kind ? begin.after : null;
    // What is listed from its beginning is counted from there too.
    if (after === null) listed[kind] = 0;
    const take = async (page: Page): Promise<void> => {
      listed[kind] += page.objects.length;
      rowsChanged += await store.apply((transaction) =>
        writePage(transaction, { kind, page, startedAt: begin.startedAt, listed }),
      );
      onProgress?.({ kind, listed: listed[kind], total: page.total });
    };
    await walk(provider, kind, { after, signal }, take);
  }
  const { id, environment } = instance;
  return { instance: { id, environment }, startedAt: begin.startedAt, resumed, counts: listed, rowsChanged };
}

/**
 * Reads all pages of one kind. Each is taken before the next one is asked for, so that an interruption costs one page, and no more
 * than one is in memory.
 */
export async function walk(
  provider: IdentityProvider,
  kind: Kind,
  { after = null, signal }: { after?: string | null; signal: AbortSignal | undefined },
  take: (page: Page) => Promise<void>,
): Promise<void> {
  let place = after;
  do {
    signal?.throwIfAborted();
    const page = await provider.list(kind, place);
    signal?.throwIfAborted();
    await take(page);
    place = page.next;
  } while (place !== null);
}

async function writePage(
  transaction: SyncTransaction,
  { kind, page, startedAt, listed }: { kind: Kind; page: Page } & Pick<PullState, "startedAt" | "listed">,
): Promise<number> {
  const { objects, next } = page;
  const told = objects.map((object): Told => ({ change: { type: "present", object }, from: "listing" }));
  const { rowsChanged } = await applyChanges(transaction, told);
  const ids = objects.map(({ id }) => id);
  await transaction.markSeen(kind, ids);
  await transaction.setState({ pull: { startedAt, ...positionAfter(kind, next), listed: { ...listed } } });
  return rowsChanged;
}

/** Where to go on: behind the last page of a kind begins the next one. */
function positionAfter(kind: Kind, next: string | null): Pick<PullState, "kind" | "after"> {
  const following = kinds[kinds.indexOf(kind) + 1];
  // The last kind is walked again from its beginning: its pages have no cursor, and nothing is after it.
  return next === null && following !== undefined ? { kind: following, after: null } : { kind, after: next };
}

async function beginPull(
  transaction: SyncTransaction,
  instance: ProviderInstance,
): Promise<{ begin: PullState; resumed: boolean }> {
  const state = await transaction.state();
  assertInstance(state, instance);
  const { pull: open } = state;
  if (open !== null && instance.now - open.startedAt < resumableMs) return { begin: open, resumed: true };
  const begin: PullState = { startedAt: instance.now, kind: "user", after: null, listed: nothing };
  await transaction.forgetSeen();
  await transaction.setState({ pull: begin, instance: { id: instance.id, environment: instance.environment } });
  return { begin, resumed: false };
}

export async function finish(transaction: SyncTransaction, { startedAt, counts }: Pulled): Promise<void> {
  await transaction.setState({ pull: null, watermark: startedAt, lastFull: { at: startedAt, counts } });
  await transaction.forgetSeen();
}

/**
 * One database belongs to one instance, and never to one that people depend on.
 * @throws ReplantError REPLANT_IDENTITY_PRODUCTION | REPLANT_IDENTITY_INSTANCE
 */
export function assertInstance(
  state: Pick<SyncState, "instance">,
  instance: Pick<ProviderInstance, "id" | "environment">,
): void {
  assertDevelopment(instance);
  const known = state.instance;
  if (known === null || known.id === instance.id) return;
  throw new ReplantError(
    "REPLANT_IDENTITY_INSTANCE",
    `the database belongs to instance ${known.id}, the keys to ${instance.id}`,
    {
      why: "the same person has another id in another instance: all would seem deleted",
      state: "nothing was written",
      hint: `use the keys of ${known.id}; or take the rows over: replant identity pull --remap-by email`,
    },
  );
}

/** @throws ReplantError REPLANT_IDENTITY_PRODUCTION */
export function assertDevelopment(instance: Pick<ProviderInstance, "id" | "environment">): void {
  if (instance.environment !== "production") return;
  throw new ReplantError("REPLANT_IDENTITY_PRODUCTION", `instance ${instance.id} is a production instance`, {
    state: "nothing was written, here or there",
    hint: "use the keys of a development instance",
  });
}
