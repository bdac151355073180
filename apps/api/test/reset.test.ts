import { setTimeout as sleep } from "node:timers/promises";
import { referenceMapping } from "@replant/identity-sync";
import { createDatabase, makeWorkspace, serverUrl, sql, type Workspace } from "@replant/testkit";
import { type ClerkEmulator, startClerk } from "@replant/testkit/clerk";
import { expect, onTestFinished, test } from "vitest";
import { clientOf } from "./client.ts";
import { openTeam } from "./place.ts";
import { startProgram } from "./program.ts";
import { eventually } from "./wait.ts";

const resets = 6;
const services = "GET /organizations/current/services";
const inbox = referenceMapping.own.inbox.name;

test("while the database is away every route says so, and afterwards the next request works", async () => {
  const { client, clerk, database, as, adminId, logged } = await openTeam();
  const server = await serverUrl(18);
  const rename = (from: string, to: string) => sql(server, `alter database ${from} rename to ${to}`);
  const user = clerk.instance.createUser({ email: "late@example.com" });
  const message = clerk.deliveries.messages.at(-1)!;
  const webhook = () =>
    client("POST /webhooks/clerk", { json: message.body, headers: clerk.deliveries.headersFor(message) });
  const away = `${database.name}_away`;
  await sql(server, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database.name]);
  await eventually(() =>
    rename(database.name, away).then(
      () => true,
      () => false,
    ),
  );
  const answers = await Promise.all([
    client(services, { headers: as(adminId) }),
    client("GET /organizations/current/prompts", { headers: as(adminId) }),
    client("PUT /organizations/current/services/{serverKey}", {
      params: { serverKey: "mail" },
      headers: as(adminId),
      json: { enabled: true },
    }),
    webhook(),
    client("GET /healthz"),
  ]);
  for (const { status, headers } of answers) {
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("1");
  }
  expect(answers.at(-1)!.body).toMatchObject({ status: "unhealthy", database: { ok: false, latencyMs: null } });
  await rename(away, database.name);
  expect((await webhook()).body).toEqual({ status: "stored" });
  expect((await client(services, { headers: as(adminId) })).status).toBe(200);
  expect((await client("GET /healthz")).status).toBe(200);
  await eventually(
    async () => (await sql(database.url, "select 1 from users where clerk_id = $1", [user.id])).length > 0,
  );
  expect(logged.join("\n")).not.toContain("unexpected");
});

test("when sessions were ended behind its back, the first message is stored and the first request answered", async () => {
  const { client, clerk, database, as, adminId, logged } = await openTeam();
  expect((await client(services, { headers: as(adminId) })).status).toBe(200);
  clerk.instance.createUser({ email: "late@example.com" });
  const message = clerk.deliveries.messages.at(-1)!;
  for (const application of ["api identity", "api"]) {
    const end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = $2";
    expect(await sql(await serverUrl(18), end, [database.name, application])).not.toEqual([]);
  }
  await eventually(async () => logged.some((line) => line.includes("a connection was lost")));
  const { body } = await client("POST /webhooks/clerk", {
    json: message.body,
    headers: clerk.deliveries.headersFor(message),
  });
  expect(body).toEqual({ status: "stored" });
  expect((await client(services, { headers: as(adminId) })).status).toBe(200);
});

test("it survives resets under load, and no message of Clerk is lost or counted twice", async () => {
  const { url } = await createDatabase(18, { prefix: "api" });
  const workspace = await makeWorkspace({ DATABASE_URL: url });
  await reset(workspace);
  const clerk = await startClerk();
  onTestFinished(() => clerk.close());
  const program = await startProgram(clerk, url);
  const { instance } = clerk;
  const admin = instance.createUser({ email: "ada@example.com" });
  const { id: organizationId } = instance.createOrganization({ name: "Acme", createdBy: admin.id });
  await sendAll(clerk, program.url);
  await eventually(async () => (await sql(url, "select 1 from organization_memberships")).length > 0);

  const over = new AbortController();
  const client = await clientOf(program.url);
  const token = (): string => `Bearer ${clerk.mintSession({ userId: admin.id, organizationId })}`;
  const listServices = async () => {
    const { status, body } = await client(services, { headers: { authorization: token() } });
    expect(status).toBe(200);
    return (body as { services: { serverKey: string; configuration: { count?: number } }[] }).services;
  };
  const seen = new Map<number, number>();
  const load = every(20, over.signal, async () => {
    const { status } = await client(services, { headers: { authorization: token() } });
    seen.set(status, (seen.get(status) ?? 0) + 1);
  });
  const webhooks = every(50, over.signal, async (count) => {
    instance.createUser({ email: `user${count}@example.com` });
    await sendAll(clerk, program.url);
  });
  const [first] = await listServices();
  let acknowledged = -1;
  const writes = inTurn(over.signal, async (count) => {
    const { status } = await client("PUT /organizations/current/services/{serverKey}", {
      params: { serverKey: first!.serverKey },
      headers: { authorization: token() },
      json: { enabled: true, configuration: { count } },
    });
    if (status === 200) acknowledged = count;
  });
  for (let done = 0; done < resets; done += 1) await reset(workspace);
  over.abort();
  await Promise.all([load, webhooks, writes]);

  expect([...seen.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(seen.get(200)).toBeGreaterThan(0);
  const settled = `select status, count(*)::int from ${inbox} group by status`;
  const { length } = clerk.deliveries.messages;
  await eventually(async () => (await sql(url, `select 1 from ${inbox} where status = 'pending'`)).length === 0);
  expect(await sql(url, settled)).toEqual([{ status: "applied", count: length }]);
  const users = await sql<{ id: string }>(url, "select clerk_id as id from users");
  expect(users.map(({ id }) => id).sort(byText)).toEqual([...instance.users.keys()].sort(byText));
  const { status, body } = await client("GET /healthz");
  expect({ status, body }).toMatchObject({ status: 200, body: { lastReset: expect.any(String) as unknown } });
  const [written] = await listServices();
  // One that was answered with 503 may have been done all the same.
  expect(written!.configuration.count).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged).toBeGreaterThan(0);
  expect(program.child.exitCode).toBeNull();
  expect(program.seen().stderr).not.toContain("unexpected");
  program.child.kill("SIGTERM");
  expect((await program.done).code).toBe(0);
});

async function reset(workspace: Workspace): Promise<void> {
  const { code, stderr } = await workspace.replant(["reset"]);
  expect(code, stderr).toBe(0);
}

/** As Svix does, but sooner: again and again until it is a 2xx. */
async function sendAll({ deliveries }: ClerkEmulator, url: string): Promise<void> {
  for (const message of deliveries.messages.filter(({ state }) => state === "pending")) {
    message.state = "delivered";
    for (;;) {
      const headers = deliveries.headersFor(message);
      const { status } = await fetch(`${url}/webhooks/clerk`, { method: "POST", headers, body: message.body });
      if (status === 200) break;
      expect(status).toBe(503);
      await sleep(50);
    }
  }
}

/** Begins one more after each pause, whatever becomes of those before; ends with the last of them. */
async function every(pauseMs: number, signal: AbortSignal, work: (count: number) => Promise<void>): Promise<void> {
  const all: Promise<void>[] = [];
  for (; !signal.aborted; await sleep(pauseMs)) all.push(work(all.length));
  await Promise.all(all);
}

/** One after the other, with a breath in between. */
async function inTurn(signal: AbortSignal, work: (count: number) => Promise<void>): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    await work(count);
    await sleep(20);
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
