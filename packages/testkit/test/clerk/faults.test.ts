import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { VirtualClock } from "../../src/clerk/index.ts";
import { clerkWithClient } from "./client.ts";

test("the next requests fail as they were told to, and no others", async () => {
  const { client, clerk } = await clerkWithClient();
  clerk.failNext(2, "500");
  clerk.failNext(1, "reset");
  await expect(client.instance.get()).rejects.toMatchObject({ status: 500 });
  await expect(client.users.createUser({})).rejects.toMatchObject({ status: 500 });
  await expect(client.users.createUser({})).rejects.toMatchObject({ errors: [{ code: "unexpected_error" }] });
  expect(clerk.instance.users.size).toBe(0);
  expect(await client.users.getCount()).toBe(0);
  expect(clerk.requests.map(({ status }) => status)).toEqual([500, 500, 0, 200]);
});

test("an answer that ends in the middle leaves the change made", async () => {
  const { client, clerk } = await clerkWithClient();
  clerk.failNext(1, "truncate");
  const lost = client.users.createUser({ externalId: "e1" });
  await expect(lost).rejects.toMatchObject({ errors: [{ code: "unexpected_error" }] });
  await expect(client.users.createUser({ externalId: "e1" })).rejects.toMatchObject({ status: 422 });
  expect((await client.users.getUserList({ externalId: ["e1"] })).totalCount).toBe(1);
});

test("every answer takes as long as it was told to on the emulator's clock", async () => {
  const clock = new VirtualClock(0);
  const { client, clerk } = await clerkWithClient({ clock, latencyMs: 80 });
  await client.instance.get();
  await client.instance.get();
  expect(clock.now()).toBe(160);
  clerk.latencyMs = 0;
  await client.instance.get();
  expect(clock.now()).toBe(160);
});

test("a client that hangs up in the middle of its request is not answered, and others are", async () => {
  const { client, clerk } = await clerkWithClient();
  const socket = connect(Number(new URL(clerk.apiUrl).port), "127.0.0.1");
  const lines = ["POST /v1/users HTTP/1.1", "host: 127.0.0.1", "expect: 100-continue", "content-length: 100", "", '{"'];
  socket.write(lines.join("\r\n"));
  // The interim answer: the request is being read.
  await once(socket, "data");
  socket.destroy();
  await client.instance.get();
  expect(clerk.requests.map(({ url }) => url)).toEqual(["/v1/instance"]);
});
