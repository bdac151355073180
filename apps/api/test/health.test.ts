import { referenceMapping } from "@replant/identity-sync";
import { sql } from "@replant/testkit";
import { expect, test } from "vitest";
import { openPlace } from "./place.ts";

test("a healthy application says what it runs on and what waits", async () => {
  const { client, clerk, deliver } = await openPlace();
  const user = clerk.instance.createUser({ email: "ada@example.com" });
  const { id: organizationId } = clerk.instance.createOrganization({ name: "Acme", createdBy: user.id });
  clerk.deliveries.faults = { dropped: 1, repeated: 0, jitterMs: 0 };
  const lost = clerk.instance.createUser({ email: "lost@example.com" });
  clerk.deliveries.faults = { dropped: 0, repeated: 0, jitterMs: 0 };
  clerk.instance.createMembership({ organizationId, userId: lost.id, role: "org:member" });
  await deliver();
  const { status, body } = await client("GET /healthz");
  expect(status).toBe(200);
  expect(body).toEqual({
    status: "ok",
    version: "0.0.0",
    database: { ok: true, latencyMs: expect.any(Number) as unknown },
    inbox: { pending: 0, parked: 1, dead: 0, oldestPendingSeconds: null },
    lastReset: null,
  });
});

test("it is not healthy when messages wait for more than a minute", async () => {
  let now = Date.now();
  const { client, database } = await openPlace({ now: () => now });
  const { name } = referenceMapping.own.inbox;
  await sql(database.url, `insert into ${name} (event_id, event_type, body, verified) values ('m', 't', '{}', true)`);
  now += 30_000;
  expect((await client("GET /healthz")).body).toMatchObject({ status: "ok", inbox: { pending: 1 } });
  now += 31_000;
  const { status, body } = await client("GET /healthz");
  expect(status).toBe(503);
  expect(body).toMatchObject({ status: "unhealthy", database: { ok: true }, inbox: { pending: 1 } });
});
