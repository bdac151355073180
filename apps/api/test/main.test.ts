import { connect, sql } from "@replant/testkit";
import { startClerk } from "@replant/testkit/clerk";
import { expect, onTestFinished, test } from "vitest";
import { referenceMapping } from "@replant/identity-sync";
import { referenceDatabase } from "./place.ts";
import { environment, runProgram, startProgram } from "./program.ts";
import { eventually } from "./wait.ts";

test("without its settings it says what is missing and does not start", async () => {
  const { code, stdout, stderr } = await runProgram({}).done;
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("DATABASE_URL is not set\nCLERK_JWT_KEY is not set\n");
  expect(stderr).not.toContain("    at ");
});

test.each(["SIGTERM", "SIGINT"] as const)("at %s it answers what it was asked and ends", async (signal) => {
  const database = await referenceDatabase();
  const clerk = await startClerk();
  onTestFinished(() => clerk.close());
  const { url, child, done } = await startProgram(clerk, database.url);
  const holder = await connect(database.url);
  await holder.query("begin; lock table users");
  const user = clerk.instance.createUser({ email: "ada@example.com" });
  const organization = clerk.instance.createOrganization({ name: "Acme", createdBy: user.id });
  const token = clerk.mintSession({ userId: user.id, organizationId: organization.id });
  const asked = fetch(`${url}/organizations/current/services`, { headers: { authorization: `Bearer ${token}` } });
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await eventually(async () => (await sql(database.url, waiting)).length > 0);
  child.kill(signal);
  await eventually(
    async () =>
      await fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
  );
  await holder.query("commit");
  await holder.end();
  const { status, headers } = await asked;
  // A connection that stayed open would keep the process.
  expect({ status, connection: headers.get("connection") }).toEqual({ status: 403, connection: "close" });
  expect(await done).toMatchObject({ code: 0, signal: null });
});

test("on a port that somebody has it says so and does not start", async () => {
  const clerk = await startClerk();
  onTestFinished(() => clerk.close());
  const { port } = new URL(clerk.apiUrl);
  const { code, stderr } = await runProgram({ ...environment(clerk, "postgresql://localhost/app"), PORT: port }).done;
  expect(code).toBe(1);
  expect(stderr).toContain("EADDRINUSE");
});

test("what waits from before is applied", async () => {
  const database = await referenceDatabase();
  const clerk = await startClerk();
  onTestFinished(() => clerk.close());
  const user = clerk.instance.createUser({ email: "ada@example.com" });
  const { name } = referenceMapping.own.inbox;
  const body = clerk.deliveries.messages[0]!.body;
  const insert = `insert into ${name} (event_id, event_type, body, verified) values ('m', 'user.created', $1, true)`;
  await sql(database.url, insert, [body]);
  await startProgram(clerk, database.url);
  await eventually(async () => (await sql(database.url, "select 1 from users")).length > 0);
  expect(await sql(database.url, "select clerk_id from users")).toEqual([{ clerk_id: user.id }]);
});
