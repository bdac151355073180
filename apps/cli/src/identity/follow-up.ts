import type { FollowUp, FollowUpOutcome } from "@replant/core";
import { isReplantError } from "@replant/core";
import type { SyncStore } from "@replant/identity-sync";
import type { Environment } from "../interaction.ts";
import type { LoadedProject } from "../project.ts";
import { orphanLines, pullText } from "../render/identity.ts";
import { mappingOf, openProvider, openStore, requireSection } from "./open.ts";

/**
 * After a swap live is made equal to the identity provider: messages that came with the kept rows are applied, and everything is
 * listed, unless there is much of it and a quick look tells that nothing differs. Without a key, or offline, it is skipped with a word.
 */
export function identityFollowUp(loaded: LoadedProject, options: { env: Environment; signal: AbortSignal }): FollowUp {
  return {
    name: "identity",
    run: async (connect): Promise<FollowUpOutcome> => {
      const access = await openProvider(loaded, options);
      if (access.provider === null) return skipped(`${access.missing} is not set; later: replant identity reconcile`);
      const { provider } = access;
      const { adoptPlaceholders, drain, quickDrift, reconcile } = await import("@replant/identity-sync");
      const store = await openStore(loaded, { connect, mapping: await mappingOf(requireSection(loaded)) });
      try {
        await drain(store, { read: provider.readEvent });
        const adopted = await adoptPlaceholders(provider, store);
        if (adopted.length === 0 && (await isLarge(store))) {
          const look = await quickDrift(provider, store);
          if (look.equal) return { state: "done", text: nothingDiffers, data: { look } };
        }
        const reconciled = await reconcile(provider, store, { signal: options.signal });
        if (reconciled.rowsChanged === 0 && adopted.length === 0 && reconciled.orphans.length === 0) {
          return { state: "done", text: nothingDiffers, data: { adopted, reconciled } };
        }
        const items = [...adopted.map(({ from, to }) => `${from} is ${to} now`), ...orphanLines(reconciled)];
        return { state: "done", text: pullText(reconciled), items, data: { adopted, reconciled } };
      } catch (error) {
        if (isOffline(error)) return skipped("the provider cannot be reached; later: replant identity reconcile");
        throw error;
      } finally {
        await store.close();
      }
    },
  };
}

const nothingDiffers = "nothing differs from the provider";

/** Where a full listing takes more requests than a look at the counts, the look comes first. */
async function isLarge(store: SyncStore): Promise<boolean> {
  const { lastFull } = await store.apply((transaction) => transaction.state());
  const counts = Object.values(lastFull?.counts ?? {});
  return counts.reduce((pages, count) => pages + Math.ceil(count / 500), 0) > 4;
}

function skipped(text: string): FollowUpOutcome {
  return { state: "skipped", text };
}

/** The provider did not answer at all; a refusal is something else. */
function isOffline(error: unknown): boolean {
  return isReplantError(error) && error.code === "REPLANT_IDENTITY_OFFLINE";
}
