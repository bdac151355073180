import { expect, test } from "vitest";
import { VirtualClock } from "../../src/clerk/index.ts";
import { clerkWithClient } from "./client.ts";

const day = 24 * 3_600_000;

test("a receiver that takes more than 15 seconds has failed, though it did its work", async () => {
  const clock = new VirtualClock(0);
  const seconds = [15.001, 15];
  const received: (string | null)[] = [];
  const { clerk } = await clerkWithClient({
    clock,
    endpoint: async (request) => {
      await clock.sleep((seconds[received.length] ?? 0) * 1_000);
      received.push(request.headers.get("svix-id"));
      return new Response(null, { status: 204 });
    },
  });
  clerk.instance.createUser();
  await clerk.deliveries.flush();
  const [message] = clerk.deliveries.messages;
  expect(received).toEqual([message?.id, message?.id]);
  expect(message).toMatchObject({
    state: "delivered",
    attempts: [
      { at: 15_000, status: null },
      { at: 35_000, status: 204 },
    ],
  });
});

test("an endpoint that fails for five days is disabled, and gets what it missed with a replay", async () => {
  const clock = new VirtualClock(0);
  const received: (string | null)[] = [];
  let broken = true;
  const { clerk } = await clerkWithClient({
    clock,
    endpoint: async (request) => {
      if (!broken) received.push(request.headers.get("svix-id"));
      return new Response(null, { status: broken ? 503 : 200 });
    },
  });
  const { deliveries, instance } = clerk;
  instance.createUser();
  await deliveries.run(5 * day - 1);
  clock.moveTo(5 * day - 1);
  instance.createUser();
  instance.createUser();
  await deliveries.run(clock.now());
  expect(deliveries.disabled).toBe(false);
  await clock.sleep(1);
  await deliveries.flush();
  expect(deliveries.disabled).toBe(true);
  // The second message's second attempt was the last; the third's never came.
  expect(deliveries.messages.map(({ state, attempts }) => [state, attempts.length])).toEqual([
    ["failed", 8],
    ["failed", 2],
    ["failed", 1],
  ]);
  instance.createUser();
  await deliveries.flush();
  expect(deliveries.messages[3]).toMatchObject({ state: "dropped", attempts: [] });
  expect(() => deliveries.replay("failed")).toThrow("disabled");

  broken = false;
  deliveries.enable();
  const [, second, third, fourth] = deliveries.messages.map(({ id }) => id);
  expect(deliveries.replay({ missingSince: 5 * day - 1 })).toBe(3);
  await deliveries.flush();
  expect(received).toEqual([second, third, fourth]);
  expect(deliveries.replay("failed")).toBe(1);
  await deliveries.flush();
  expect(deliveries.messages.map(({ state }) => state)).toEqual(Array.from({ length: 4 }, () => "delivered"));
});

test("one success within the five days keeps an endpoint, and what is on its way is not missing", async () => {
  const clock = new VirtualClock(0);
  let status = 500;
  const { clerk } = await clerkWithClient({ clock, endpoint: async () => new Response(null, { status }) });
  const { deliveries, instance } = clerk;
  instance.createUser();
  await deliveries.run(0);
  expect(deliveries.replay({ missingSince: 0 })).toBe(0);
  clock.moveTo(4 * day);
  status = 200;
  await deliveries.flush();
  status = 500;
  clock.moveTo(8 * day);
  instance.createUser();
  await deliveries.flush();
  expect(deliveries.disabled).toBe(false);
  expect(deliveries.messages.map(({ state }) => state)).toEqual(["delivered", "failed"]);
});
