import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:http";
import { serve } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";
import { describe, expect, onTestFinished, test } from "vitest";
import { bodyMaxBytes } from "../../src/webhook/body.ts";
import type { WebhookHandler } from "../../src/webhook/index.ts";
import { listen, toNodeListener } from "../../src/webhook/index.ts";
import { type Sent, signedHeaders, signedRequest, userBody, webhookPlace } from "./place.ts";

const path = "/webhooks/clerk";

async function open(server: Server): Promise<string> {
  if (!server.listening) server.listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}

const mounts: [string, (handler: WebhookHandler) => Promise<string>][] = [
  ["node:http", (handler) => open(createServer(toNodeListener(handler)))],
  [
    "express",
    (handler) => {
      const app = express();
      app.post(path, toNodeListener(handler));
      app.use(express.json());
      return open(createServer(app));
    },
  ],
  [
    "express behind express.raw()",
    (handler) => {
      const app = express();
      app.use(express.raw({ type: "*/*", limit: "1mb" }));
      app.post(path, toNodeListener(handler));
      return open(createServer(app));
    },
  ],
  [
    "hono",
    (handler) => {
      const app = new Hono();
      app.post(path, (c) => handler(c.req.raw));
      return open(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
    },
  ],
  [
    "a server of its own",
    async (handler) => {
      const server = await listen(handler, { port: 0, path });
      onTestFinished(() => server.close());
      return server.url;
    },
  ],
];

describe.each(mounts)("%s", (_, mount) => {
  test("stores what is signed, byte by byte, and refuses what is not", async () => {
    const { handler, store, stored } = webhookPlace();
    const url = await mount(handler);
    const send = (headers: Record<string, string>, body: Sent): Promise<Response> =>
      fetch(url, { method: "POST", headers, body, duplex: "half" });
    expect((await send(signedHeaders(), userBody)).status).toBe(200);
    expect(store.state.inbox.get("msg_1")?.body).toBe(userBody);
    const unsigned = await send({ ...signedHeaders(), "svix-id": "msg_2" }, userBody);
    expect([unsigned.status, await unsigned.text()]).toEqual([401, '{"error":"not verified"}']);
    const pretty = JSON.stringify(JSON.parse(userBody), null, 2);
    expect((await send(signedHeaders({ id: "msg_3", body: pretty }), pretty)).status).toBe(200);
    const chunked = new Blob([userBody]).stream();
    expect((await send(signedHeaders({ id: "msg_4" }), chunked)).status).toBe(200);
    expect(stored()).toEqual(["msg_1", "msg_3", "msg_4"]);
  });

  test("a body that is too large gets its answer, and the next message too", async () => {
    const { handler, stored } = webhookPlace();
    const url = await mount(handler);
    const large = "x".repeat(bodyMaxBytes + 100_000);
    for (const body of [large, new Blob([large]).stream()]) {
      const init: RequestInit = { method: "POST", headers: signedHeaders({ body: large }), body, duplex: "half" };
      expect((await fetch(url, init)).status).toBe(413);
    }
    expect((await fetch(url, { method: "POST", headers: signedHeaders(), body: userBody })).status).toBe(200);
    expect(stored()).toEqual(["msg_1"]);
  });

  test("a sender that goes in the middle of its message leaves nothing behind", async () => {
    const { handler, stored } = webhookPlace();
    const { hostname, port, pathname } = new URL(await mount(handler));
    const socket = connect(Number(port), hostname);
    const headers = Object.entries(signedHeaders()).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${pathname} HTTP/1.1\r\nhost: x\r\n${headers.join("")}content-length: 5000\r\n\r\n${userBody}`);
    await once(socket, "connect");
    socket.destroy();
    await once(socket, "close");
    const after = await fetch(`http://${hostname}:${port}${pathname}`, {
      method: "POST",
      headers: signedHeaders({ id: "msg_2" }),
      body: userBody,
    });
    expect(after.status).toBe(200);
    expect(stored()).toEqual(["msg_2"]);
  });
});

test.each(["GET", "PUT", "TRACE"])("node:http: %s gets 405", async (method) => {
  const url = new URL(await open(createServer(toNodeListener(webhookPlace().handler))));
  const socket = connect(Number(url.port), url.hostname);
  socket.end(`${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 405[^]*allow: POST/i);
});

test("express behind express.json() says what is in the wrong order", async () => {
  const { handler, stored, warnings } = webhookPlace();
  const app = express();
  app.use(express.json());
  app.post(path, toNodeListener(handler, { warn: (message) => void warnings.push(message) }));
  const url = await open(createServer(app));
  const response = await fetch(url, { method: "POST", headers: signedHeaders(), body: userBody });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("express.json()");
  expect(warnings).toEqual([expect.stringContaining("mount the handler before body parsers")]);
  expect(stored()).toEqual([]);
});

test("hono after the body was read says what is in the wrong order", async () => {
  const { handler, warnings } = webhookPlace();
  const app = new Hono();
  app.use(async (c, next) => {
    await c.req.json();
    await next();
  });
  app.post(path, (c) => handler(c.req.raw));
  const response = await app.request(path, { method: "POST", headers: signedHeaders(), body: userBody });
  expect(response.status).toBe(400);
  expect(warnings).toEqual([expect.stringContaining("mount the handler before body parsers")]);
});

test("a route handler of Next is the handler itself", async () => {
  const { handler, stored } = webhookPlace();
  const POST: (request: Request, context: { params: Promise<object> }) => Promise<Response> = handler;
  expect((await POST(signedRequest(), { params: Promise.resolve({}) })).status).toBe(200);
  expect(stored()).toEqual(["msg_1"]);
});

test("the server of its own has nothing but its path, and ends when what is there is answered", async () => {
  const commit = Promise.withResolvers<boolean>();
  const began = Promise.withResolvers<void>();
  const receive = (): Promise<boolean> => {
    began.resolve();
    return commit.promise;
  };
  const server = await listen(webhookPlace({ store: { inbox: { receive } } }).handler, { port: 0, path });
  expect((await fetch(new URL("/", server.url))).status).toBe(404);
  expect((await fetch(server.url)).status).toBe(405);
  const answer = fetch(server.url, { method: "POST", headers: signedHeaders(), body: userBody });
  await began.promise;
  const closed = server.close();
  commit.resolve(true);
  expect((await answer).status).toBe(200);
  await closed;
  await expect(fetch(server.url)).rejects.toThrow("fetch failed");
});

test("a port that is taken is an error", async () => {
  const { handler } = webhookPlace();
  const server = await listen(handler, { port: 0, path });
  onTestFinished(() => server.close());
  await expect(listen(handler, { port: Number(new URL(server.url).port), path })).rejects.toThrow("EADDRINUSE");
});
