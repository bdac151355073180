import { type WebhookEvent, verifyWebhook } from "@clerk/backend/webhooks";
import { Webhook } from "svix";
import { expect, test } from "vitest";
import { fillSample, type Message, VirtualClock } from "../../src/clerk/index.ts";
import { clerkWithClient } from "./client.ts";

const hours = 3_600_000;

function received(messages: readonly Message[]): string[] {
  return messages.filter(({ state }) => state === "delivered").map(({ type }) => type);
}

test("the SDK accepts what is delivered, in the order of what happened", async () => {
  const clock = new VirtualClock(Date.UTC(2026, 10, 20));
  const events: WebhookEvent[] = [];
  const bodies: string[] = [];
  const { clerk, client } = await clerkWithClient({
    clock,
    endpoint: async (request) => {
      bodies.push(await request.clone().text());
      events.push(await verifyWebhook(request, { signingSecret: clerk.deliveries.secret }));
      return new Response(null, { status: 204 });
    },
  });
  const user = await client.users.createUser({ emailAddress: ["ada@example.com"], externalId: "e1" });
  const { id } = await client.organizations.createOrganization({ name: "Acme", createdBy: user.id });
  await client.users.updateUser(user.id, { firstName: "Ada" });
  await client.users.deleteUser(user.id);
  await client.organizations.deleteOrganization(id);
  await clerk.deliveries.flush();
  expect(events.map(({ type }) => type)).toEqual([
    "user.created",
    "organization.created",
    "organizationMembership.created",
    "user.updated",
    "organizationMembership.deleted",
    "user.deleted",
    "organization.deleted",
  ]);
  expect(events[5]?.data).toEqual({ id: user.id, object: "user", deleted: true, external_id: "e1" });
  // The membership that ended is told in full.
  expect(events[4]?.data).toMatchObject({ role: "org:admin", public_user_data: { user_id: user.id } });
  expect(JSON.parse(bodies[0] ?? "")).toMatchObject({
    object: "event",
    instance_id: clerk.instance.id,
    timestamp: Date.UTC(2026, 10, 20),
  });
});

test("a receiver that fails is tried eight times within 27 hours, under one id", async () => {
  const clock = new VirtualClock(0);
  const ids: (string | null)[] = [];
  const { clerk, client } = await clerkWithClient({
    clock,
    endpoint: async (request) => {
      ids.push(request.headers.get("svix-id"));
      return new Response(null, { status: ids.length === 3 ? 302 : 500 });
    },
  });
  await client.users.createUser({});
  await clerk.deliveries.flush();
  const [message] = clerk.deliveries.messages;
  expect(message?.state).toBe("failed");
  expect(message?.attempts.map(({ at }) => at / 1000)).toEqual([0, 5, 305, 2105, 9305, 27_305, 63_305, 99_305]);
  expect(new Set(ids).size).toBe(1);
  expect(clock.now()).toBe(27 * hours + 35 * 60_000 + 5_000);

  clerk.deliveries.endpoint = async () => new Response("ok");
  expect(clerk.deliveries.replay("failed")).toBe(1);
  await clerk.deliveries.flush();
  expect(message).toMatchObject({ state: "delivered", attempts: { length: 9 } });
  expect(clerk.deliveries.replay({ missingSince: 0 })).toBe(0);
  expect(clerk.deliveries.replay({ id: message?.id ?? "" })).toBe(1);
});

test("faults repeat, drop and put out of order; a replay brings what was dropped", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const { clerk } = await clerkWithClient({
    clock,
    faults: { dropped: 0.2, repeated: 0.3, jitterMs: 60_000 },
    endpoint: async (request) => {
      seen.push(request.headers.get("svix-id") ?? "");
      return new Response("ok");
    },
  });
  fillSample(clerk.instance);
  await clerk.deliveries.flush();
  const { messages } = clerk.deliveries;
  const sent = messages.map(({ id }) => id);
  const dropped = messages.filter(({ state }) => state === "dropped");
  expect(messages).toHaveLength(23);
  expect(dropped.length).toBeGreaterThan(0);
  expect(received(messages)).toHaveLength(23 - dropped.length);
  expect(seen.length).toBeGreaterThan(new Set(seen).size);
  expect(seen).not.toEqual(sent.filter((id) => seen.includes(id)));
  expect(clerk.deliveries.replay({ missingSince: 0 })).toBe(dropped.length);
  await clerk.deliveries.flush();
  expect(new Set(seen)).toEqual(new Set(sent));
});

test("after a rotation both secrets sign for a day", async () => {
  const clock = new VirtualClock();
  const { clerk } = await clerkWithClient({ clock });
  const message = clerk.deliveries.send({ type: "session.pending", data: { id: "sess_1" } }, clock.now());
  const old = clerk.deliveries.secret;
  const fresh = clerk.deliveries.rotateSecret();
  const accepts = (secret: string): boolean => {
    try {
      new Webhook(secret).verify(message.body, clerk.deliveries.headersFor(message));
      return true;
    } catch {
      return false;
    }
  };
  expect(fresh).not.toBe(old);
  expect([accepts(old), accepts(fresh)]).toEqual([true, true]);
  await clock.sleep(24 * hours);
  expect([accepts(old), accepts(fresh)]).toEqual([false, true]);
});

test("cascade events can be off, and the envelope's time in seconds", async () => {
  const { clerk } = await clerkWithClient({ cascadeEvents: false, timestampUnit: "s" });
  fillSample(clerk.instance);
  const [acme] = clerk.instance.organizations.values();
  clerk.instance.deleteOrganization(acme?.id ?? "");
  expect(clerk.deliveries.messages.at(-1)?.type).toBe("organization.deleted");
  expect(clerk.deliveries.messages.map(({ type }) => type)).not.toContain("organizationMembership.deleted");
  expect(clerk.instance.memberships.size).toBe(8);
  const { timestamp } = JSON.parse(clerk.deliveries.messages[0]?.body ?? "") as { timestamp: number };
  expect(timestamp).toBeLessThan(1e11);
});
