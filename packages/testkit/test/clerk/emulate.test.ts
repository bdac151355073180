import { createPublicKey } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClerkClient } from "@clerk/backend";
import { Webhook } from "svix";
import { expect, onTestFinished, test } from "vitest";
import { killGroup, startNode, tempDir } from "../../src/index.ts";

const program = new URL("../../src/clerk/emulate.ts", import.meta.url).pathname;

interface Delivery {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The program, its answers to the environment, and what came to an endpoint that refuses the first message. */
async function emulate(...args: string[]) {
  const deliveries: Delivery[] = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      deliveries.push({ headers: request.headers as Record<string, string>, body });
      response.writeHead(deliveries.length === 1 ? 503 : 200).end();
    });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => receiver.close().closeAllConnections());
  await expect.poll(() => receiver.listening).toBe(true);
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/clerk`;
  const running = startNode(program, ["--port=0", `--endpoint=${endpoint}`, ...args], { cwd: await tempDir() });
  onTestFinished(() => killGroup(running.child));
  await expect.poll(() => running.seen().stderr, { timeout: 30_000 }).toContain("3 organizations, 8 users");
  await expect.poll(() => running.seen().stdout).toContain("CLERK_JWT_KEY=");
  const printed = Object.fromEntries(
    running
      .seen()
      .stdout.trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]),
  );
  const { CLERK_API_URL: apiUrl = "", CLERK_SECRET_KEY: secretKey = "" } = printed;
  const client = createClerkClient({ apiUrl, secretKey, telemetry: { disabled: true } });
  return { running, printed, client, deliveries };
}

test("runs by itself with 3 organizations and 8 users, and sends webhooks over HTTP", async () => {
  const { running, printed, client, deliveries } = await emulate();
  expect(await client.users.getCount()).toBe(8);
  expect((await client.organizations.getInstanceOrganizationMembershipList({ limit: 500 })).totalCount).toBe(12);
  await client.users.createUser({ emailAddress: ["new@example.com"] });
  // One of them twice.
  await expect.poll(() => deliveries.length, { timeout: 30_000 }).toBe(25);
  const last = deliveries.at(-1);
  new Webhook(printed["CLERK_WEBHOOK_SIGNING_SECRET"] ?? "").verify(last?.body ?? "", last?.headers ?? {});
  const key = createPublicKey((printed["CLERK_JWT_KEY"] ?? "").replaceAll(String.raw`\n`, "\n"));
  expect(key.asymmetricKeyType).toBe("rsa");
  running.child.kill("SIGTERM");
  expect(await running.done).toMatchObject({ code: 0 });
});

test("says how every attempt was answered; of a silent sample nobody hears", async () => {
  const { running, client, deliveries } = await emulate("--silent");
  expect(await client.users.getCount()).toBe(8);
  const { id } = await client.users.createUser({ emailAddress: ["new@example.com"] });
  const attempts = () => running.seen().stderr.match(/^webhook .*$/gm);
  await expect.poll(attempts, { timeout: 30_000 }).toHaveLength(2);
  const message = deliveries[0]?.headers["svix-id"];
  expect(attempts()).toEqual([`webhook user.created ${message}: 503`, `webhook user.created ${message}: 200`]);
  expect(deliveries.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id)).toEqual([id, id]);
});
