import { ReplantError } from "@replant/core";
import type { Kind } from "@replant/identity-sync";
import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import { historyLines } from "../../render/identity.ts";
import type { showFlags } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof showFlags>): Promise<Outcome> {
  const [id] = requireWords(cli, input, ["an id"]);
  const kind = kindOf(id);
  return withIdentity(cli, { changes: false }, async ({ store }) => {
    const shown = await store.apply(async (transaction) => ({
      kind,
      id,
      ...(await transaction.history(kind, id)),
      watermark: await transaction.watermark(),
      dependents: await transaction.dependents(kind, id),
    }));
    return { document: shown, text: () => historyLines(shown) };
  });
}

function kindOf(id: string): Kind {
  const prefixes: readonly (readonly [string, Kind])[] = [
    ["user_", "user"],
    ["org_", "organization"],
    ["orgmem_", "membership"],
  ];
  const found = prefixes.find(([prefix]) => id.startsWith(prefix));
  if (found !== undefined) return found[1];
  throw new ReplantError("REPLANT_USAGE", `${JSON.stringify(id.slice(0, 100))} is no id of the provider`, {
    state: "nothing was touched",
    hint: "ids begin with user_, org_ or orgmem_",
  });
}
