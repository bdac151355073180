export { createWebhookHandler } from "./handler.ts";
export type { WebhookHandler, WebhookOptions, WebhookStore } from "./handler.ts";
export { listen, toNodeListener } from "./node.ts";
export type { ListenOptions, NodeListener, WebhookServer } from "./node.ts";
export { secretsFromEnv } from "./secrets.ts";
