import { ReplantError } from "@replant/core";
import type { Remapped, RemapKey } from "@replant/identity-sync";
import { pull, remap } from "@replant/identity-sync";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { requireProvider } from "../../identity/open.ts";
import { listing } from "../../identity/progress.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import { pullLines, remapLines } from "../../render/identity.ts";
import type { pullFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof pullFlags>): Promise<Outcome> {
  const by = (flags.remapBy ?? null) as RemapKey | null;
  if (flags.dryRun && by === null) {
    throw new ReplantError("REPLANT_USAGE", "--dry-run stands beside --remap-by", {
      state: "nothing was touched",
      hint: "replant identity drift says what a pull would write",
    });
  }
  return withIdentity(cli, { changes: !flags.dryRun, yes: flags.yes }, async ({ store, access }): Promise<Outcome> => {
    const provider = requireProvider(access);
    const remapped: Remapped | null = by === null ? null : await remap(provider, store, { by, dryRun: flags.dryRun });
    const map = remapped === null ? [] : remapLines(remapped, { written: !flags.dryRun });
    if (flags.dryRun) return { document: { remapped }, text: () => map };
    const pulled = await listing(cli, (options) => pull(provider, store, options));
    return { document: { remapped, ...pulled }, text: () => [...map, ...pullLines(pulled)] };
  });
}
