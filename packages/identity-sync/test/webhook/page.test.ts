import { once } from "node:events";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDatabase, sql, tempDir, writeTree } from "@replant/testkit";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { referenceScripts } from "../postgres/places.ts";
import { secret, signedHeaders, signedRequest, userBody } from "./place.ts";

const page = await readFile(new URL("../../../../docs/identity.md", import.meta.url), "utf8");

/** The modules of the page, by the names that they begin with. Node wants to know that they are TypeScript. */
const modules = Object.fromEntries(
  [...page.matchAll(/^```ts\n\/\/ (\S+)\n([^]*?)^```$/gm)].map(([, path = "", text = ""]) => [
    path,
    text.replaceAll(/(from "\.[^"]*)"/g, '$1.ts"'),
  ]),
);

let directory: string;
let database: string;

beforeAll(async () => {
  directory = await tempDir({ lasting: true });
  const own = fileURLToPath(new URL("../../", import.meta.url));
  await mkdir(join(directory, "node_modules/@replant"), { recursive: true });
  const link = (name: string, to: string): Promise<void> =>
    symlink(to, join(directory, "node_modules", name), "junction");
  await link("@replant/identity-sync", own);
  for (const name of ["@replant/postgres", "express", "hono"]) await link(name, join(own, "node_modules", name));
  await writeTree(directory, modules);
  const { url } = await createDatabase(18);
  for (const script of referenceScripts) await sql(url, script);
  database = url;
});

/** Imports one of the modules, all of which share one store. */
async function moduleOf<Module>(path: string): Promise<Module> {
  vi.stubEnv("DATABASE_URL", database);
  vi.stubEnv("CLERK_WEBHOOK_SIGNING_SECRET", secret);
  return (await import(/* @vite-ignore */ join(directory, path))) as Module;
}

/** Each framework's module as an app that answers on the path. */
const frameworks: readonly [
  name: string,
  open: () => Promise<(message: Record<string, string>) => Promise<Response>>,
][] = [
  [
    "Next",
    async () => {
      const { POST } = await moduleOf<{ POST: (request: Request) => Promise<Response> }>("app/webhooks/clerk/route.ts");
      return ({ id = "" }) => POST(signedRequest({ id }));
    },
  ],
  [
    "Hono",
    async () => {
      const { app } = await moduleOf<{ app: { request: (path: string, init: RequestInit) => Promise<Response> } }>(
        "hono.ts",
      );
      return async ({ id = "" }) =>
        app.request("/webhooks/clerk", { method: "POST", headers: signedHeaders({ id }), body: userBody });
    },
  ],
  [
    "Express",
    async () => {
      const { app } = await moduleOf<{ app: Parameters<typeof createServer>[1] }>("express.ts");
      const server = createServer(app as never).listen(0, "127.0.0.1");
      await once(server, "listening");
      onTestFinished(() => void server.close());
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/clerk`;
      return ({ id = "" }) => fetch(url, { method: "POST", headers: signedHeaders({ id }), body: userBody });
    },
  ],
];

describe.each(frameworks)("the page's module for %s", (name, open) => {
  test("stores a message and applies it", async () => {
    const send = await open();
    await sql(database, "delete from users");
    await sql(database, "delete from identity_objects");
    const id = `msg_${name}`;
    const response = await send({ id });
    expect([response.status, await response.json()]).toEqual([200, { status: "stored" }]);
    const status = async (): Promise<unknown> =>
      (await sql(database, "select status from webhook_events where event_id = $1", [id]))[0];
    await expect.poll(status, { timeout: 30_000 }).toEqual({ status: "applied" });
    expect(await sql(database, "select clerk_id, email from users")).toEqual([
      { clerk_id: "user_1", email: "zo\u00eb@example.com" },
    ]);
  });
});

test("the page's modules are all there", () => {
  expect(Object.keys(modules)).toEqual(
    expect.arrayContaining(["clerk-webhooks.ts", "app/webhooks/clerk/route.ts", "hono.ts", "express.ts"]),
  );
});
