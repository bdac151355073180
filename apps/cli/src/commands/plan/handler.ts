import { seedChoice } from "../../choices.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { preview } from "../../preview.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  return preview(cli, {
    request: {
      mode: flags.force ? "force" : "smart",
      seeds: seedChoice(flags),
      acceptLoss: flags.acceptLoss ?? [],
      replay: !flags.noReplay,
    },
    exitCode: flags.exitCode,
    out: flags.out,
  });
}
