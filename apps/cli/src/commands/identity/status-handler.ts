import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import type { IdentityStatus } from "../../render/identity.ts";
import { identityStatusLines } from "../../render/identity.ts";
import type { statusFlags } from "./command.ts";

export async function handle(cli: Cli, _input: Input<typeof statusFlags>): Promise<Outcome> {
  return withIdentity(cli, { changes: false }, async ({ store, project }) => {
    const inbox = await store.inbox.counts();
    const status = await store.apply(async (transaction): Promise<IdentityStatus> => ({
      state: await transaction.state(),
      inbox,
      rows: {
        user: await transaction.count("user"),
        organization: await transaction.count("organization"),
        membership: await transaction.count("membership"),
      },
    }));
    const now = project.ports.clock.now();
    return { document: status, text: () => identityStatusLines(status, now) };
  });
}
