/*
 * The webhook handler on a port of its own, storing into the database of DATABASE_URL. Says its address. Ends with its parent.
 */
import { readEvent } from "../../../../packages/identity-sync/src/clerk/index.ts";
import { createWebhookHandler, listen, secretsFromEnv } from "../../../../packages/identity-sync/src/webhook/index.ts";
import { openStore } from "./store.ts";

const store = await openStore();
const secrets = secretsFromEnv(process.env);
const handler = createWebhookHandler({
  secrets: () => secrets,
  store: { inbox: store.inbox },
  readEvent,
  warn: console.error,
});
const server = await listen(handler, { port: 0, path: "/webhooks/clerk" });
process.on("disconnect", () => void server.close().then(() => store.close()));
process.send?.(server.url);
