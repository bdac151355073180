import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClerkClient } from "@clerk/backend";
import { expect, onTestFinished, test } from "vitest";
import type { ReplantError } from "@replant/core";
import { clerkProvider, type Wait } from "../../src/clerk/index.ts";
import { clerkPlace } from "./place.ts";

const secretKey = "sk_test_verysecret";

/** A server that answers as it likes, and a provider on it; nobody waits. */
async function serverPlace(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
) {
  const seen: { url: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.headers });
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const waits: Wait[] = [];
  const onWait = (wait: Wait): void => void waits.push(wait);
  const provider = clerkProvider({ apiUrl, secretKey, onWait, sleep: async () => undefined, ...options });
  return { provider, seen, waits, apiUrl };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}) {
  return (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

async function errorOf(work: Promise<unknown>): Promise<ReplantError> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error as ReplantError,
  );
}

test.each(["sk_live_abc", " sk_live_abc\n", "live_abc"])(
  "the key of a production instance is refused at once: %j",
  (key) => {
    expect(() => clerkProvider({ secretKey: key })).toThrow(
      expect.objectContaining({ code: "REPLANT_IDENTITY_PRODUCTION" }) as Error,
    );
  },
);

test.each(["", "pk_test_abc", "sk_test_", "sk_test_a\u0000b", "sk_test_a b"])(
  "what is no secret key is not sent: %j",
  (key) => {
    expect(() => clerkProvider({ secretKey: key })).toThrow(
      expect.objectContaining({ code: "REPLANT_IDENTITY_KEY" }) as Error,
    );
  },
);

test("an address that is none is refused", () => {
  expect(() => clerkProvider({ secretKey, apiUrl: "file:///etc" })).toThrow(/address/);
});

test("an instance that says it is production gets no user, whatever its key looks like", async () => {
  const { provider, seen } = await serverPlace((request, response) =>
    json(200, request.url?.startsWith("/v1/users") ? [] : { id: "ins_1", environment_type: "production" })(
      request,
      response,
    ),
  );
  const error = await errorOf(provider.ensureUser({ externalId: "x", email: "x@example.com" }));
  expect(error.code).toBe("REPLANT_IDENTITY_PRODUCTION");
  expect(seen.map(({ url }) => url.split("?")[0])).toEqual(["/v1/users", "/v1/instance"]);
});

test("a key that Clerk does not know is told with the variable to set", async () => {
  const { clerk } = await clerkPlace();
  const provider = clerkProvider({ apiUrl: clerk.apiUrl, secretKey });
  const error = await errorOf(provider.instance());
  expect(error).toMatchObject({
    code: "REPLANT_IDENTITY_PROVIDER",
    message: "GET /v1/instance: Clerk does not know the secret key (401)",
    details: { items: ["trace id trace_emulated"], hint: expect.stringContaining("CLERK_SECRET_KEY") as string },
  });
  expect(clerk.requests).toHaveLength(1);
});

test("failures of the server are tried again three times, longer apart each time", async () => {
  const words = { errors: [{ code: "oops", long_message: `no: ${secretKey}` }], clerk_trace_id: secretKey };
  const { provider, seen, waits } = await serverPlace(json(503, words));
  const error = await errorOf(provider.list("organization", null));
  expect(seen).toHaveLength(4);
  expect(waits).toEqual(
    [500, 1_000, 2_000].map((ms) => ({ request: "GET /v1/organizations", ms, because: "failure" })),
  );
  expect(error).toMatchObject({
    code: "REPLANT_IDENTITY_PROVIDER",
    message: "GET /v1/organizations: Clerk answers 503",
    details: { why: "no: *** (oops)", items: ["trace id ***"] },
  });
});

test("an outage that ends is not noticed", async () => {
  const { clerk, provider, waits } = await clerkPlace();
  let failing = 3;
  clerk.onRequest = async () => (failing-- > 0 ? 500 : undefined);
  expect(await provider.list("user", null)).toMatchObject({ objects: [], next: null });
  expect(waits).toEqual([500, 1_000, 2_000]);
});

test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
  ["is cut", (request) => request.socket.destroy()],
  [
    "ends in the middle of the answer",
    (request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write("[", () => request.socket.destroy());
    },
  ],
  ["says nothing", () => undefined],
])("a connection that %s is tried again, and then told without the key", async (_, answer) => {
  const { provider, waits } = await serverPlace(answer, { timeoutMs: 200 });
  const error = await errorOf(provider.list("user", null));
  expect(error).toMatchObject({ code: "REPLANT_IDENTITY_OFFLINE", message: "GET /v1/users: Clerk cannot be reached" });
  expect(waits).toHaveLength(3);
  expect(JSON.stringify([error.message, error.stack, error.details])).not.toContain(secretKey);
});

test("nobody there is an error too", async () => {
  const { provider, apiUrl } = await serverPlace(json(200, []));
  const other = clerkProvider({ apiUrl: apiUrl.replace(/\d+$/, "1"), secretKey, sleep: async () => undefined });
  expect((await errorOf(other.instance())).details.why).toMatch(/ECONNREFUSED|bad port/);
  expect(await provider.list("user", null)).toMatchObject({ objects: [] });
});

test.each<[string, string, string]>([
  ["a page of a proxy", "text/html", "<html></html>"],
  ["JSON that calls itself text", "text/plain", "[]"],
  ["half a list", "application/json", "[{"],
  ["an object without data", "application/json", "{}"],
  ["null", "application/json", "null"],
  ["a list of numbers", "application/json", "[1]"],
  ["a list without its length", "application/json", '{"data":[]}'],
])("%s is no empty list", async (_, type, body) => {
  const { provider } = await serverPlace(
    (_, response) => void response.writeHead(200, { "content-type": type }).end(body),
  );
  for (const kind of ["user", "organization", "membership"] as const) {
    // A bare array is what users come in.
    if (kind === "user" && body === "[]" && type === "application/json") continue;
    const error = await errorOf(provider.list(kind, null));
    expect(error.code).toBe("REPLANT_IDENTITY_PROVIDER");
    expect(error.message).toMatch(/Clerk's answer \(200\) cannot be read/);
  }
});

test("a charset behind the type changes nothing", async () => {
  const { provider } = await serverPlace(json(200, [], { "content-type": "application/json; charset=utf-8" }));
  expect(await provider.list("user", null)).toEqual({ objects: [], next: null, total: null });
});

test("a redirection is not followed", async () => {
  const { provider, seen } = await serverPlace(json(302, {}, { location: "/elsewhere" }));
  expect((await errorOf(provider.instance())).message).toBe("GET /v1/instance: Clerk answers 302");
  expect(seen).toHaveLength(1);
});

test("404 for a membership's organization is believed only when the organization is really gone", async () => {
  const organization = { id: "org_1", name: "Acme", slug: "acme", created_at: 1.7e12, updated_at: 1.7e12 };
  const { provider } = await serverPlace((request, response) =>
    (request.url?.startsWith("/v1/organizations?")
      ? json(200, { data: [organization], total_count: 1 })
      : json(404, { errors: [] }))(request, response),
  );
  const reference = { id: "orgmem_1", joins: { user: "user_1", organization: "org_1" } };
  expect((await errorOf(provider.find("membership", [reference]))).code).toBe("REPLANT_IDENTITY_PROVIDER");
});

test("an abort ends a wait and a request", async () => {
  const stop = new AbortController();
  const { provider } = await serverPlace(json(429, { errors: [] }, { "retry-after": "600" }), { signal: stop.signal });
  const refused = clerkProvider({
    apiUrl: (await serverPlace(json(429, {}, { "retry-after": "600" }))).apiUrl,
    secretKey,
    signal: stop.signal,
    onWait: () => stop.abort(new Error("enough")),
  });
  await expect(refused.instance()).rejects.toThrow("enough");
  await expect(provider.instance()).rejects.toThrow("enough");
});

test("a user is made once when the answer to making it is lost", async () => {
  const { clerk, provider, waits } = await clerkPlace();
  clerk.onRequest = async ({ method }) => {
    if (method !== "POST") return;
    clerk.onRequest = null;
    clerk.failNext(1, "truncate");
  };
  const made = await provider.ensureUser({ externalId: "seed-admin", email: "admin@example.com" });
  expect(waits).toEqual([500]);
  expect([...clerk.instance.users.keys()]).toEqual([made.id]);
});

test("an address that another user has is told, and nobody's account is touched", async () => {
  const { clerk, provider } = await clerkPlace();
  const { id } = clerk.instance.createUser({ email: "admin+clerk_test@example.com" });
  const error = await errorOf(provider.ensureUser({ externalId: "seed-admin", email: "admin@example.com" }));
  expect(error).toMatchObject({ code: "REPLANT_IDENTITY_PROVIDER", details: { why: /taken/ } });
  expect(clerk.instance.user(id).externalId).toBeNull();
});

test("Clerk is asked for the version of its API that the official client asks for", async () => {
  const { provider, seen, apiUrl } = await serverPlace(json(200, { id: "ins_1", environment_type: "development" }));
  await provider.instance();
  await createClerkClient({ apiUrl, secretKey, telemetry: { disabled: true } }).instance.get();
  const [ours, theirs] = seen;
  expect(ours?.url).toBe(theirs?.url);
  for (const name of ["clerk-api-version", "authorization", "content-type"]) {
    expect(ours?.headers[name]).toBe(theirs?.headers[name]);
  }
});
