/*
 * Runs the emulator by itself: pnpm clerk:emulate [--port=9700] [--endpoint=http://127.0.0.1:3000/webhooks/clerk] [--empty | --silent]
 * Prints what an app needs to talk to it, and sends webhooks as they come, retries included, until it is interrupted.
 * `--port=0` takes any that is free. `--silent`: the sample is older than the endpoint, which never hears of it.
 */
import { parseArgs } from "node:util";
import { setTimeout as wait } from "node:timers/promises";
import { fillSample } from "./sample.ts";
import { startClerk } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "9700" },
    endpoint: { type: "string" },
    empty: { type: "boolean", default: false },
    silent: { type: "boolean", default: false },
  },
});
const clerk = await startClerk({
  port: Number(values.port),
  seed: Date.now(),
  ...(values.endpoint === undefined ? {} : { endpoint: values.endpoint }),
});
const faultless = clerk.deliveries.faults;
if (values.silent) clerk.deliveries.faults = { ...faultless, dropped: 1 };
if (!values.empty) fillSample(clerk.instance);
clerk.deliveries.faults = faultless;
console.log(`CLERK_API_URL=${clerk.apiUrl}
CLERK_SECRET_KEY=${clerk.secretKey}
CLERK_PUBLISHABLE_KEY=${clerk.publishableKey}
CLERK_WEBHOOK_SIGNING_SECRET=${clerk.deliveries.secret}
CLERK_JWT_KEY=${clerk.jwtKey.trim().replaceAll("\n", String.raw`\n`)}`);
const { users, organizations, memberships } = clerk.instance;
console.error(
  `instance ${clerk.instance.id}: ${organizations.size} organizations, ${users.size} users, ${memberships.size} memberships; webhooks go to ${values.endpoint ?? "nobody (--endpoint=<url>)"}`,
);

const told = new Map<string, number>();
function tellAttempts(): void {
  for (const { id, type, attempts } of clerk.deliveries.messages) {
    for (const { status } of attempts.slice(told.get(id)))
      console.error(`webhook ${type} ${id}: ${status ?? "no answer"}`);
    told.set(id, attempts.length);
  }
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
while (!stop.signal.aborted) {
  if (values.endpoint !== undefined) await clerk.deliveries.run(Date.now());
  tellAttempts();
  await wait(200, undefined, { signal: stop.signal }).catch(() => undefined);
}
await clerk.close();
