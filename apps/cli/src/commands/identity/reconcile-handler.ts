import { ReplantError } from "@replant/core";
import type { Orphans } from "@replant/identity-sync";
import { adoptPlaceholders, drain, drift, reconcile } from "@replant/identity-sync";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { requireProvider } from "../../identity/open.ts";
import { listing } from "../../identity/progress.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import { driftLines, reconcileLines } from "../../render/identity.ts";
import type { reconcileFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof reconcileFlags>): Promise<Outcome> {
  const alarmShare = shareOf(flags.alarmShare);
  return withIdentity(cli, { changes: !flags.dryRun, yes: flags.yes }, async ({ store, access }): Promise<Outcome> => {
    const provider = requireProvider(access);
    if (flags.dryRun) {
      const found = await listing(cli, (options) => drift(provider, store, options));
      return { document: found, text: () => driftLines(found) };
    }
    await drain(store, { read: provider.readEvent });
    await adoptPlaceholders(provider, store);
    const reconciled = await listing(cli, (options) =>
      reconcile(provider, store, {
        ...options,
        orphans: (flags.orphans ?? "soft-delete") as Orphans,
        ...(alarmShare === null ? {} : { alarmShare }),
      }),
    );
    return { document: reconciled, text: () => reconcileLines(reconciled) };
  });
}

function shareOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const share = Number(text);
  if (text.trim() !== "" && share >= 0 && share <= 1) return share;
  throw new ReplantError("REPLANT_USAGE", "--alarm-share must be a number from 0 to 1", {
    state: "nothing was touched",
  });
}
