import { pull } from "@replant/identity-sync";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { requireProvider } from "../../identity/open.ts";
import { tellProgress } from "../../identity/progress.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import { pullLines } from "../../render/identity.ts";
import type { pullFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof pullFlags>): Promise<Outcome> {
  return withIdentity(cli, { changes: true, yes: flags.yes }, async ({ store, access }) => {
    const pulled = await pull(requireProvider(access), store, tellProgress(cli));
    return { document: pulled, text: () => pullLines(pulled) };
  });
}
