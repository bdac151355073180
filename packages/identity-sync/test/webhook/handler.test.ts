import { setImmediate as tick } from "node:timers/promises";
import { startClerk, VirtualClock } from "@replant/testkit/clerk";
import { expect, onTestFinished, test } from "vitest";
import { readEvent } from "../../src/clerk/index.ts";
import { drain } from "../../src/index.ts";
import { bodyMaxBytes } from "../../src/webhook/body.ts";
import { MemoryStore } from "../memory-store.ts";
import { otherSecret, post, secret, signedHeaders, signedRequest, userBody, webhookPlace } from "./place.ts";

async function told(response: Response): Promise<{ status: number; body: unknown }> {
  return { status: response.status, body: await response.json() };
}

test("a message is stored as it came, and stored once", async () => {
  const { handler, store, stored } = webhookPlace();
  expect(await told(await handler(signedRequest()))).toEqual({ status: 200, body: { status: "stored" } });
  expect(await told(await handler(signedRequest()))).toEqual({ status: 200, body: { status: "duplicate" } });
  expect(stored()).toEqual(["msg_1"]);
  expect(store.state.inbox.get("msg_1")).toMatchObject({ body: userBody, status: "pending" });
});

test("the names of Standard Webhooks do too", async () => {
  const { handler, stored } = webhookPlace();
  expect((await handler(signedRequest({ names: "webhook" }))).status).toBe(200);
  expect(stored()).toEqual(["msg_1"]);
});

test("nothing is acknowledged before the store has committed", async () => {
  const commit = Promise.withResolvers<boolean>();
  const { handler } = webhookPlace({ store: { inbox: { receive: () => commit.promise } } });
  let answered = false;
  const answer = handler(signedRequest()).then((response) => {
    answered = true;
    return response;
  });
  for (let turn = 0; turn < 20; turn += 1) await tick();
  expect(answered).toBe(false);
  commit.resolve(true);
  expect((await answer).status).toBe(200);
});

test("while a secret is replaced both are good, and afterwards the new one", async () => {
  let secrets: readonly string[] = [otherSecret, secret];
  const { handler, stored } = webhookPlace({ secrets: () => secrets });
  expect((await handler(signedRequest({ id: "msg_old" }))).status).toBe(200);
  expect((await handler(signedRequest({ id: "msg_new", secret: otherSecret }))).status).toBe(200);
  secrets = [otherSecret];
  expect((await handler(signedRequest({ id: "msg_late" }))).status).toBe(401);
  const both = [signedHeaders(), signedHeaders({ secret: otherSecret })].map((headers) => headers["svix-signature"]);
  const request = post(userBody, { ...signedHeaders(), "svix-signature": both.join(" ") });
  expect((await handler(request)).status).toBe(200);
  expect(stored()).toEqual(["msg_old", "msg_new", "msg_1"]);
});

test.each(["session.created", "something.entirely.new"])(
  "an event of type %s is stored, and says nothing",
  async (type) => {
    const { handler, store, warnings } = webhookPlace();
    const body = JSON.stringify({ type, object: "event", data: { id: "x" } });
    expect((await handler(signedRequest({ body }))).status).toBe(200);
    expect(await drain(store, { read: readEvent })).toMatchObject({ ignored: 1, failed: 0 });
    expect(warnings).toEqual([]);
  },
);

test("an event of another instance is told, and not stored", async () => {
  const store = new MemoryStore();
  const place = webhookPlace({ store: { inbox: store.inbox, instance: async () => "ins_2" } });
  expect(await told(await place.handler(signedRequest()))).toEqual({ status: 200, body: { status: "ignored" } });
  expect(store.state.inbox.size).toBe(0);
  expect(place.warnings).toEqual([expect.stringMatching(/msg_1.*ins_1.*ins_2/)]);
});

test.each(["ins_1", null])("an event of this instance is stored: %s", async (instance) => {
  const store = new MemoryStore();
  const place = webhookPlace({ store: { inbox: store.inbox, instance: async () => instance } });
  expect((await place.handler(signedRequest())).status).toBe(200);
  expect([...store.state.inbox.keys()]).toEqual(["msg_1"]);
});

test("a signed message that nobody can read is kept for a person", async () => {
  const { handler, store, warnings } = webhookPlace();
  for (const [id, body] of [
    ["msg_text", "hello"],
    ["msg_user", '{"type":"user.created","data":{"id":"user_1"}}'],
    ["msg_empty", ""],
  ] as const) {
    expect((await handler(signedRequest({ id, body }))).status).toBe(200);
  }
  expect(warnings).toHaveLength(3);
  expect(await drain(store, { read: readEvent })).toMatchObject({ failed: 3 });
});

const [now, wrong] = [signedHeaders(), signedHeaders({ secret: otherSecret })];
const refusals: [string, () => Request][] = [
  ["no headers at all", () => post(userBody, {})],
  ["no id", () => post(userBody, without("svix-id"))],
  ["no time", () => post(userBody, without("svix-timestamp"))],
  ["no signature", () => post(userBody, without("svix-signature"))],
  ["an empty signature", () => post(userBody, { ...now, "svix-signature": "" })],
  ["another secret", () => post(userBody, wrong)],
  ["another version", () => post(userBody, { ...now, "svix-signature": now["svix-signature"]!.replace("v1,", "v2,") })],
  ["a version without a signature", () => post(userBody, { ...now, "svix-signature": "v1" })],
  ["half a signature", () => post(userBody, { ...now, "svix-signature": now["svix-signature"]!.slice(0, 20) })],
  ["another id", () => post(userBody, { ...now, "svix-id": "msg_2" })],
  ["an id with a dot", () => signedRequest({ id: "msg.1" })],
  ["too old", () => signedRequest({ at: -310 })],
  ["too new", () => signedRequest({ at: 310 })],
  ["a time with something behind it", () => post(userBody, { ...now, "svix-timestamp": `${now["svix-timestamp"]}x` })],
  ["a time that is none", () => post(userBody, { ...now, "svix-timestamp": "now" })],
  ["a body written again", () => post(JSON.stringify(JSON.parse(userBody), null, 1), now)],
  ["another body", () => post(userBody.replace("user_1", "user_2"), now)],
  ["a byte order mark in front", () => post(`\u{feff}${userBody}`, now)],
  ["bytes that are no text", () => post(Buffer.concat([Buffer.from(userBody), Buffer.from([0xff])]), now)],
  [
    "bytes that are no text, for a sign that stands for such bytes",
    () => post(Uint8Array.of(0x22, 0xff, 0x22), signedHeaders({ body: '"\u{fffd}"' })),
  ],
  ["no body", () => post("", now)],
];

function without(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(now).filter(([header]) => header !== name));
}

test.each(refusals)("is refused, and not told why: %s", async (_, request) => {
  const { handler, stored, warnings } = webhookPlace();
  const response = await handler(request());
  expect(response.status).toBe(401);
  expect([...response.headers]).toEqual([["content-type", "application/json"]]);
  expect(await response.text()).toBe('{"error":"not verified"}');
  expect(stored()).toEqual([]);
  expect(warnings).toEqual([]);
});

test("within five minutes is in time", async () => {
  const { handler } = webhookPlace();
  for (const at of [-290, 290]) expect((await handler(signedRequest({ id: `msg_${at}`, at }))).status).toBe(200);
});

test.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])("%s is not what a message comes by", async (method) => {
  const { handler } = webhookPlace();
  const response = await handler(new Request("http://localhost/", { method }));
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
});

test("a body that is too large is refused, whatever it says of its length", async () => {
  const { handler, stored } = webhookPlace();
  const large = "x".repeat(bodyMaxBytes + 1);
  const headers = signedHeaders({ body: large });
  const stream = (): ReadableStream => new Blob([large]).stream();
  for (const request of [
    post(large, headers),
    post(stream(), headers),
    post(stream(), { ...headers, "content-length": "10" }),
    post("short", { ...headers, "content-length": String(bodyMaxBytes + 1) }),
  ]) {
    expect((await handler(request)).status).toBe(413);
  }
  const full = `"${"x".repeat(bodyMaxBytes - 2)}"`;
  expect((await handler(signedRequest({ body: full }))).status).toBe(200);
  expect(stored()).toEqual(["msg_1"]);
});

test("a body that breaks off is refused", async () => {
  const { handler } = webhookPlace();
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
  expect((await handler(post(broken, signedHeaders()))).status).toBe(400);
});

test("a body that somebody has read is refused, with the reason", async () => {
  const { handler, warnings } = webhookPlace();
  const request = signedRequest();
  await request.json();
  const response = await handler(request);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("before body parsers");
  expect(warnings).toEqual([expect.stringContaining("before body parsers")]);
});

test.each(["inbox", "instance"])("when the store fails (%s) the sender is asked to come again", async (part) => {
  const fail = async (): Promise<never> => {
    throw new Error("connection refused");
  };
  const store = part === "inbox" ? { inbox: { receive: fail } } : { inbox: new MemoryStore().inbox, instance: fail };
  const accepted: string[] = [];
  const { handler, warnings } = webhookPlace({ store, onAccepted: ({ id }) => void accepted.push(id) });
  const response = await handler(signedRequest());
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
  expect(await response.text()).toBe('{"error":"not stored"}');
  expect(warnings).toEqual([expect.stringContaining("connection refused")]);
  expect(accepted).toEqual([]);
});

test("applying begins with a new message, after it is stored, and only then", async () => {
  const store = new MemoryStore();
  const accepted: unknown[] = [];
  const onAccepted = (message: { id: string; type: string }): void =>
    void accepted.push({ ...message, stored: store.state.inbox.has(message.id) });
  const { handler } = webhookPlace({ store, onAccepted });
  await handler(signedRequest());
  await handler(signedRequest());
  await handler(post("{}", {}));
  await tick();
  expect(accepted).toEqual([{ id: "msg_1", type: "user.created", stored: true }]);
});

test.each<[string, () => Promise<void> | void]>([
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  [
    "rejects",
    async () => {
      throw new Error("no");
    },
  ],
])("applying that %s changes no answer", async (_, onAccepted) => {
  const { handler, warnings } = webhookPlace({ onAccepted });
  expect((await handler(signedRequest())).status).toBe(200);
  await tick();
  expect(warnings).toEqual(["message msg_1 is stored and not applied yet: no"]);
});

test("applying that never ends is not waited for", async () => {
  const { handler } = webhookPlace({ onAccepted: () => new Promise<void>(() => undefined) });
  expect((await handler(signedRequest())).status).toBe(200);
});

test.each<[string, () => readonly string[]]>([
  ["are none", () => []],
  [
    "cannot be read",
    () => {
      throw new Error("vault is closed");
    },
  ],
  ["are broken", () => ["whsec_%%%"]],
])("when the secrets %s nobody is let in, and the handler does not fail", async (_, secrets) => {
  const warn = (): never => {
    throw new Error("log is full");
  };
  const { handler, stored } = webhookPlace({ secrets, warn });
  expect((await handler(signedRequest())).status).toBe(401);
  expect(stored()).toEqual([]);
});

test("everything arrives in the end, however it is sent", async () => {
  const clock = new VirtualClock(Date.now() - 3 * 86_400_000);
  const store = new MemoryStore();
  let down = true;
  const inbox = {
    receive: (delivery: Parameters<MemoryStore["inbox"]["receive"]>[0]) =>
      down ? Promise.reject(new Error("down")) : store.inbox.receive(delivery),
  };
  const faults = { repeated: 0.3, jitterMs: 3_000 };
  const clerk = await startClerk({ clock, faults });
  onTestFinished(() => clerk.close());
  const place = webhookPlace({ store: { inbox }, secrets: () => [clerk.deliveries.secret] });
  clerk.deliveries.endpoint = place.handler;
  const users = Array.from({ length: 40 }, (_, n) => clerk.instance.createUser({ email: `u${n}@example.com` }).id);
  const { id: organizationId } = clerk.instance.createOrganization({ name: "Acme" });
  for (const userId of users) clerk.instance.createMembership({ organizationId, userId, role: "org:member" });
  for (const id of users.slice(0, 5)) clerk.instance.deleteUser(id);
  await clerk.deliveries.run(clock.now() + 60_000);
  expect(store.state.inbox.size).toBe(0);
  down = false;
  await clerk.deliveries.flush();
  expect(new Set(clerk.deliveries.messages.map(({ state }) => state))).toEqual(new Set(["delivered"]));
  expect(store.state.inbox.size).toBe(clerk.deliveries.messages.length);
  await drain(store, { read: readEvent });
  const rows = [...store.state.rows.user].flatMap(([id, { deleted }]) => (deleted ? [] : [id]));
  expect(rows.toSorted()).toEqual([...clerk.instance.users.keys()].toSorted());
});
