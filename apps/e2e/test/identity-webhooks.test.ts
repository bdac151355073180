import { createServer } from "node:net";
import type { Drift } from "@replant/identity-sync";
import { killGroup, workspaceConfig } from "@replant/testkit";
import type { ClerkEmulator } from "@replant/testkit/clerk";
import { ClerkProblem, fillSample, seededRandom, startClerk, VirtualClock } from "@replant/testkit/clerk";
import { expect, onTestFinished, test } from "vitest";
import type { Target } from "./target.ts";
import { openTarget } from "./target.ts";

const config = workspaceConfig.replace("  keep: {", '  identity: { provider: "clerk" },\n  keep: {');
const rounds = 20;
const random = seededRandom(20);

test("messages that come while databases are swapped are neither lost nor applied twice, kills included", async () => {
  const target = await openTarget("PostgreSQL 18");
  await target.workspace.write({ "replant.config.ts": config });
  const port = await freePort();
  const clerk = await startClerk({
    rateLimit: null,
    clock: new VirtualClock(Date.now()),
    endpoint: `http://127.0.0.1:${port}/webhooks/clerk`,
    faults: { repeated: 0.1, jitterMs: 3000 },
  });
  onTestFinished(() => clerk.close());
  const env = {
    CLERK_SECRET_KEY: clerk.secretKey,
    CLERK_API_URL: clerk.apiUrl,
    CLERK_WEBHOOK_SIGNING_SECRET: clerk.deliveries.secret,
  };
  // The follow-up would repair what messages lost: resets go without it.
  const offline = { CLERK_SECRET_KEY: "" };
  expect((await target.workspace.replant(["reset"], { env: offline })).code).toBe(0);
  let server = await serve(target, { port, env });
  fillSample(clerk.instance);
  for (let round = 0; round < rounds; round += 1) {
    const killAfter = round % 4 === 3 ? 200 + random() * 800 : null;
    const reset = resetOnce(target, { env: offline, killAfter });
    const under = { way: true };
    void reset.finally(() => (under.way = false));
    while (under.way) {
      for (let n = 0; n < 3; n += 1) operate(clerk);
      await clerk.deliveries.run(clerk.deliveries.nextDue ?? 0);
    }
    expect(await reset, `round ${round}`).toBe(killAfter === null ? 0 : null);
    // What was promised survives the one who promised it.
    if (round % 7 === 6) {
      await server.kill();
      server = await serve(target, { port, env });
    }
  }
  await clerk.deliveries.flush();
  expect(clerk.deliveries.messages.filter(({ state }) => state !== "delivered")).toEqual([]);
  await target.workspace.replant(["identity", "replay"], { env });
  const statuses = await target.lines("select distinct status from webhook_events order by 1");
  expect(statuses).toEqual(["(applied)"]);
  expect(await target.lines("select count(*), count(distinct event_id) from webhook_events")).toEqual([
    `(${clerk.deliveries.messages.length},${clerk.deliveries.messages.length})`,
  ]);
  const drift = await target.workspace.replant(["identity", "drift", "--json"], { env });
  expect(JSON.parse(drift.stdout) as Drift, drift.stdout).toMatchObject({ equal: true });
  expect(clerk.deliveries.messages.length).toBeGreaterThan(100);
});

/** 0 when it ended well, null when it was killed. */
async function resetOnce(
  { workspace }: Target,
  { env, killAfter }: { env: Record<string, string>; killAfter: number | null },
): Promise<number | null> {
  const killed = killAfter === null ? Infinity : Date.now() + killAfter;
  const result = await workspace.replant(["reset"], { env, killAt: () => Date.now() >= killed });
  return result.code;
}

async function serve(
  { workspace }: Target,
  { port, env }: { port: number; env: Record<string, string> },
): Promise<{ kill(): Promise<void> }> {
  const running = workspace.start(["identity", "serve", "--port", String(port)], { env, timeoutMs: 600_000 });
  const kill = async (): Promise<void> => {
    killGroup(running.child);
    await running.done;
  };
  onTestFinished(kill);
  await expect.poll(() => running.seen().stderr, { timeout: 30_000 }).toContain("until Ctrl-C");
  return { kill };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Something that people do; what Clerk refuses did not happen. */
function operate({ instance }: ClerkEmulator): void {
  const pick = <Item>(items: Iterable<Item>): Item | undefined => {
    const all = [...items];
    return all[Math.floor(random() * all.length)];
  };
  const user = pick(instance.users.values());
  const organization = pick(instance.organizations.values());
  const membership = pick(instance.memberships.values());
  const luck = random();
  try {
    if (luck < 0.25 || user === undefined) instance.createUser({ email: `p${Math.floor(random() * 1e6)}@example.com` });
    else if (luck < 0.45) instance.updateUser(user.id, { firstName: `F${Math.floor(random() * 1e6)}` });
    else if (luck < 0.55) instance.deleteUser(user.id);
    else if (luck < 0.65 || organization === undefined)
      instance.createOrganization({ name: `O${Math.floor(random() * 1e6)}` });
    else if (luck < 0.7 && instance.organizations.size > 3) instance.deleteOrganization(organization.id);
    else if (luck < 0.9)
      instance.createMembership({ organizationId: organization.id, userId: user.id, role: "org:member" });
    else if (membership !== undefined) instance.updateMembership(membership.id, { role: "org:admin" });
  } catch (error) {
    if (!(error instanceof ClerkProblem)) throw error;
  }
}
