import { resolveVariables } from "@replant/config";
import { ReplantError } from "@replant/core";
import { drain } from "@replant/identity-sync";
import { readEvent } from "@replant/identity-sync/clerk";
import { createWebhookHandler, listen, secretsFromEnv } from "@replant/identity-sync/webhooks";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withIdentity } from "../../identity/with-identity.ts";
import type { serveFlags } from "./command.ts";

const defaultPort = 4040;
const defaultPath = "/webhooks/clerk";
const secretNames = ["CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"];

export async function handle(cli: Cli, { flags }: Input<typeof serveFlags>): Promise<Outcome> {
  return withIdentity(cli, { changes: true, yes: flags.yes, longLived: true }, async ({ project, store }) => {
    const found = await resolveVariables(secretNames, { ...project, env: cli.env });
    const secrets = secretsFromEnv(Object.fromEntries(secretNames.map((name, index) => [name, found[index]?.value])));
    const say = (text: string): void => cli.emit({ type: "notice", level: "info", text });
    const warn = (text: string): void => cli.emit({ type: "notice", level: "warning", text });
    // Asked beside the messages: what applies changes may hold everybody else up.
    const readInstance = (): Promise<string | null> =>
      store.apply(async (transaction) => (await transaction.state()).instance?.id ?? null);
    let instance = await readInstance();
    const apply = async ({ id, type }: { readonly id: string; readonly type: string }): Promise<void> => {
      const { failed } = await drain(store, { read: readEvent });
      instance = await readInstance();
      say(`${type} ${id}`);
      if (failed > 0) warn(`${failed} messages failed: replant identity status`);
    };
    const underWay = new Set<Promise<void>>();
    const handler = createWebhookHandler({
      secrets: () => secrets,
      store: {
        inbox: store.inbox,
        instance: () => Promise.resolve(instance),
      },
      readEvent,
      warn,
      onAccepted: (accepted) => {
        const applied = apply(accepted).finally(() => underWay.delete(applied));
        underWay.add(applied);
        return applied;
      },
    });
    const server = await listen(handler, {
      port: flags.port ?? defaultPort,
      path: flags.path ?? defaultPath,
      warn,
    }).catch((error: unknown) => {
      throw portTaken(error, flags.port ?? defaultPort);
    });
    await drain(store, { read: readEvent });
    say(`${server.url} until Ctrl-C`);
    await ended(cli.interruption.signal);
    await server.close();
    await Promise.allSettled(underWay);
    return { document: { url: server.url }, text: () => ["  no messages are received any more"] };
  });
}

function portTaken(error: unknown, port: number): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "EADDRINUSE") return error;
  return new ReplantError("REPLANT_CONNECTION_FAILED", `port ${port} is in use`, {
    state: "nothing was touched",
    hint: "name another one with --port",
    cause: error,
  });
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
