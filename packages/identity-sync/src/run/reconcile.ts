import { ReplantError } from "@replant/core";
import type { Kind } from "../model/objects.ts";
import { kinds } from "../model/objects.ts";
import type { IdentityProvider, Reference } from "../ports/provider.ts";
import type { Dependents, SyncStore, SyncTransaction } from "../ports/sync.ts";
import type { Told } from "./apply.ts";
import { applyChanges } from "./apply.ts";
import type { Pulled, PullOptions } from "./pull.ts";
import { finish, list } from "./pull.ts";

/** What becomes of rows that the provider does not have. */
export type Orphans = "keep" | "soft-delete" | "drop" | "fail";

export interface ReconcileOptions extends PullOptions {
  /** Default: `soft-delete`. */
  readonly orphans?: Orphans;
  /** More orphans than this share of the rows look like another instance, and stop. Default: 0.5, and at least 20 rows. */
  readonly alarmShare?: number;
}

/** A row that the provider does not have any more, and what hangs on it. */
export interface Orphan {
  readonly kind: Kind;
  readonly id: string;
  readonly dependents: readonly Dependents[];
}

export interface Reconciled extends Pulled {
  readonly orphans: readonly Orphan[];
  readonly became: Orphans;
}

/**
 * Makes the database equal to the provider: everything that it has is written, and what it has no more is deleted by the rule. Each
 * orphan is asked for once more by its id before anything happens to it: a listing is no proof of absence.
 * @throws ReplantError REPLANT_IDENTITY_ORPHANS with the rule `fail`, or when there are suspiciously many; and what `pull` throws
 */
export async function reconcile(
  provider: IdentityProvider,
  store: SyncStore,
  options: ReconcileOptions = {},
): Promise<Reconciled> {
  const { orphans: rule = "soft-delete", alarmShare = 0.5 } = options;
  const pulled = await list(provider, store, options);
  const orphans: Orphan[] = [];
  let rowsChanged = 0;
  for (const kind of kinds) {
    const unseen = await store.apply((transaction) => transaction.unseen(kind));
    const found = unseen.length === 0 ? [] : await provider.find(kind, unseen);
    const there = new Set(found.map(({ id }) => id));
    const gone = unseen.filter(({ id }) => !there.has(id));
    const told = found.map((object): Told => ({ change: { type: "present", object }, from: "listing" }));
    rowsChanged += await store.apply(async (transaction) => {
      if (rule !== "keep") await assertPlausible(transaction, { kind, gone: ofTheirOwn(gone, orphans), alarmShare });
      const { rowsChanged: updated } = await applyChanges(transaction, told);
      for (const { id } of gone) orphans.push({ kind, id, dependents: await transaction.dependents(kind, id) });
      return updated;
    });
  }
  if (rule === "fail" && orphans.length > 0) throw failing(orphans);
  await store.apply(async (transaction) => {
    if (rule !== "keep") {
      const told = orphans.map(({ kind, id }): Told => ({ change: { type: "gone", kind, id }, from: "listing" }));
      const applied = await applyChanges(transaction, told);
      rowsChanged += applied.rowsChanged;
    }
    if (rule === "drop") {
      for (const kind of kinds.toReversed()) {
        const ids = orphans.flatMap((orphan) => (orphan.kind === kind ? [orphan.id] : []));
        await transaction.drop(kind, ids);
      }
    }
    await finish(transaction, pulled);
  });
  return { ...pulled, rowsChanged: pulled.rowsChanged + rowsChanged, orphans, became: rule };
}

/** Memberships that did not go with their user or their organization. */
function ofTheirOwn(gone: readonly Reference[], orphans: readonly Orphan[]): readonly Reference[] {
  const parents = new Set(orphans.map(({ id }) => id));
  return gone.filter(({ joins }) => joins === null || !(parents.has(joins.user) || parents.has(joins.organization)));
}

async function assertPlausible(
  transaction: SyncTransaction,
  { kind, gone, alarmShare }: { kind: Kind; gone: readonly Reference[]; alarmShare: number },
): Promise<void> {
  const rows = await transaction.count(kind);
  if (gone.length < 20 || gone.length <= rows * alarmShare) return;
  throw new ReplantError("REPLANT_IDENTITY_ORPHANS", `${gone.length} of ${rows} ${kind}s are not there any more`, {
    why: "so many at once look like the keys of another instance",
    items: gone.slice(0, 20).map(({ id }) => id),
    state: "nothing was deleted",
    hint: "look at them: replant identity drift; if they are really gone: --orphans=soft-delete --alarm-share=1",
  });
}

function failing(orphans: readonly Orphan[]): ReplantError {
  return new ReplantError("REPLANT_IDENTITY_ORPHANS", `the provider does not have ${orphans.length} rows any more`, {
    items: orphans.map(({ kind, id, dependents }) => {
      const hanging = dependents.map(({ table, rows }) => `${rows} of ${table}`).join(", ");
      return `${kind} ${id}${hanging === "" ? "" : `: with it ${hanging}`}`;
    }),
    state: "what the provider has is written; nothing was deleted",
    hint: "say what becomes of them: --orphans=soft-delete, keep or drop",
  });
}
