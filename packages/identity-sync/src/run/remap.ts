import { ReplantError } from "@replant/core";
import type { IdentityProvider } from "../ports/provider.ts";
import type { SyncStore } from "../ports/sync.ts";
import { assertDevelopment } from "./pull.ts";

/** What says that two users are the same person. Organizations are the same by their slug. */
export type RemapKey = "email" | "external_id";

export interface Remapped {
  readonly from: string | null;
  readonly to: string;
  readonly users: readonly { readonly from: string; readonly to: string; readonly key: string }[];
  readonly organizations: readonly { readonly from: string; readonly to: string; readonly key: string }[];
  /** Rows whose like the other instance does not have: the next reconcile deletes them by its rule. */
  readonly unmatched: readonly string[];
}

/**
 * Makes the database belong to another instance: users and organizations get the ids that the same ones have there, their local
 * ids stay. Nothing is written when any of them could be two.
 * @throws ReplantError REPLANT_IDENTITY_AMBIGUOUS | REPLANT_IDENTITY_PRODUCTION | REPLANT_IDENTITY_PROVIDER
 */
export async function remap(
  provider: IdentityProvider,
  store: SyncStore,
  { by, dryRun = false }: { readonly by: RemapKey; readonly dryRun?: boolean },
): Promise<Remapped> {
  const instance = await provider.instance();
  assertDevelopment(instance);
  const field = by === "email" ? "email" : "externalId";
  const [users, organizations, state] = await store.apply(async (transaction) => [
    await transaction.values("user", field),
    await transaction.values("organization", "slug"),
    await transaction.state(),
  ]);
  const there = {
    user:
      by === "email" ? await provider.usersByEmail(valuesOf(users)) : await provider.usersByExternalId(valuesOf(users)),
    organization: await provider.organizationsBySlug(valuesOf(organizations)),
  };
  const pairs = {
    user: pairUp(users, there.user, field),
    organization: pairUp(organizations, there.organization, "slug"),
  };
  const ambiguous = [...pairs.user.ambiguous, ...pairs.organization.ambiguous];
  if (ambiguous.length > 0) {
    throw new ReplantError(
      "REPLANT_IDENTITY_AMBIGUOUS",
      `${ambiguous.length} rows could be several objects of ${instance.id}`,
      {
        items: ambiguous,
        state: "nothing was written",
        hint: "correct them there or here, or map by the other key: --remap-by=external_id",
      },
    );
  }
  if (!dryRun) {
    await store.apply(async (transaction) => {
      await transaction.rename("user", pairs.user.matched);
      await transaction.rename("organization", pairs.organization.matched);
      const { id, environment } = instance;
      await transaction.forgetSeen();
      await transaction.setState({ instance: { id, environment }, watermark: null, pull: null, lastFull: null });
    });
  }
  return {
    from: state.instance?.id ?? null,
    to: instance.id,
    users: pairs.user.matched,
    organizations: pairs.organization.matched,
    unmatched: [...pairs.user.unmatched, ...pairs.organization.unmatched],
  };
}

interface Valued {
  readonly id: string;
  readonly value: string;
}

function valuesOf(rows: readonly Valued[]): string[] {
  return [...new Set(rows.map(({ value }) => value))];
}

/** Addresses and slugs are the same in any case. */
function pairUp(
  rows: readonly Valued[],
  objects: readonly { readonly id: string; readonly fields: Readonly<Record<string, unknown>> }[],
  field: string,
): { matched: { from: string; to: string; key: string }[]; unmatched: string[]; ambiguous: string[] } {
  const keyOf = (value: unknown): string => String(value).toLowerCase();
  const matched: { from: string; to: string; key: string }[] = [];
  const unmatched: string[] = [];
  const ambiguous: string[] = [];
  for (const { id, value } of rows) {
    const like = objects.filter((object) => keyOf(object.fields[field]) === keyOf(value));
    const twins = rows.filter((row) => keyOf(row.value) === keyOf(value));
    const [only] = like;
    if (only === undefined) unmatched.push(id);
    else if (like.length > 1 || twins.length > 1)
      ambiguous.push(
        `${value}: ${twins.map((row) => row.id).join(", ")} here, ${like.map((object) => object.id).join(", ")} there`,
      );
    else if (only.id !== id) matched.push({ from: id, to: only.id, key: value });
  }
  return { matched, unmatched, ambiguous: [...new Set(ambiguous)] };
}
