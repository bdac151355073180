import { ReplantError } from "@replant/core";
import type { Inbox } from "@replant/identity-sync";
import { drain } from "@replant/identity-sync";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import { drainLines } from "../../render/identity.ts";
import { assertTogether } from "../../together.ts";
import type { replayFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof replayFlags>): Promise<Outcome> {
  assertTogether(flags, { dead: ["since", "id"], since: ["id"] });
  const which = whichOf(flags);
  return withIdentity(cli, { changes: true, yes: flags.yes }, async ({ store }) => {
    const { readEvent } = await import("@replant/identity-sync/clerk");
    const requeued = which === null ? 0 : await store.inbox.requeue(which);
    if (which !== null && "id" in Object(which) && requeued === 0) throw unknownMessage(flags.id ?? "");
    const drained = await drain(store, { read: readEvent });
    return { document: { requeued, ...drained }, text: () => drainLines(drained) };
  });
}

function whichOf({ dead, since, id }: Input<typeof replayFlags>["flags"]): Parameters<Inbox["requeue"]>[0] | null {
  if (dead) return "dead";
  if (id !== undefined) return { id };
  if (since === undefined) return null;
  const at = Date.parse(since);
  if (!Number.isNaN(at)) return { since: at };
  throw new ReplantError("REPLANT_USAGE", "--since must be a time in ISO 8601", {
    state: "nothing was touched",
    hint: "as in --since 2026-11-20T09:00:00Z",
  });
}

function unknownMessage(id: string): ReplantError {
  return new ReplantError(
    "REPLANT_USAGE",
    `the inbox has no message ${JSON.stringify(id.slice(0, 200))} that could be applied again`,
    {
      state: "nothing was touched",
      hint: "the id is the svix-id of the delivery: msg_...",
    },
  );
}
