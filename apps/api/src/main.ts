import { once } from "node:events";
import { messageOf } from "@replant/core";
import { createApp } from "./app.ts";
import { clerkAuth } from "./auth.ts";
import { openDatabase } from "./database.ts";
import { openIdentity } from "./identity.ts";
import { listen } from "./server.ts";
import { readSettings, type Settings } from "./settings.ts";

/** How often messages are applied that nobody came back for, as after a crash. */
const drainEveryMs = 5_000;
/** How long requests under way may take once the process is to end. */
const graceMs = 10_000;

const log = (message: string): void => void process.stderr.write(`${message}\n`);

try {
  await run(readSettings(process.env));
} catch (error) {
  log(messageOf(error));
  process.exitCode = 1;
}

/** Serves until it is told to stop. */
async function run({ databaseUrl, webhookSecrets, host, port, ...keys }: Settings): Promise<void> {
  const database = openDatabase(databaseUrl, log);
  const identity = openIdentity({ url: databaseUrl, secrets: webhookSecrets, log });
  const drain = (): void =>
    void identity.drain().catch((error: unknown) => log(`not applied yet: ${messageOf(error)}`));
  const app = createApp({ database, identity, auth: clerkAuth(keys), now: Date.now, log });
  const server = await listen(app.fetch, { host, port });
  process.stdout.write(`api listens on ${server.url}\n`);
  drain();
  const timer = setInterval(drain, drainEveryMs);
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  clearInterval(timer);
  await server.close(graceMs);
  await identity.close();
  await database.close();
}
