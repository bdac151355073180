import { drift, quickDrift } from "@replant/identity-sync";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { requireProvider } from "../../identity/open.ts";
import { listing } from "../../identity/progress.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import { driftLines, quickDriftLines } from "../../render/identity.ts";
import type { driftFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof driftFlags>): Promise<Outcome> {
  return withIdentity(cli, { changes: false }, async ({ store, access }): Promise<Outcome> => {
    const provider = requireProvider(access);
    const exitOf = (equal: boolean): Pick<Outcome, "exit"> => (flags.exitCode && !equal ? { exit: 2 } : {});
    if (flags.quick) {
      const found = await quickDrift(provider, store);
      return { document: found, text: () => quickDriftLines(found), ...exitOf(found.equal) };
    }
    const found = await listing(cli, (options) => drift(provider, store, options));
    return { document: found, text: () => driftLines(found), ...exitOf(found.equal) };
  });
}
