import { sql } from "@replant/testkit";
import { expect, test } from "vitest";
import { openPlace } from "./place.ts";

const webhooks = "POST /webhooks/clerk";

test("what Clerk says becomes rows, whatever the order and however often it is said", async () => {
  const { clerk, database, deliver } = await openPlace();
  clerk.deliveries.faults = { dropped: 0, repeated: 0.5, jitterMs: 50 };
  const user = clerk.instance.createUser({ email: "ada@example.com" });
  const organization = clerk.instance.createOrganization({ name: "Acme", slug: "acme", createdBy: user.id });
  clerk.instance.updateUser(user.id, { firstName: "Ada" });
  await deliver();
  expect(
    await sql(
      database.url,
      `select u.clerk_id as "user", u.first_name as name, o.clerk_id as organization, m.role
       from organization_memberships m join users u on u.id = m.user_id join organizations o on o.id = m.organization_id`,
    ),
  ).toEqual([{ user: user.id, name: "Ada", organization: organization.id, role: "admin" }]);
  expect(clerk.deliveries.messages.map(({ state }) => state)).toEqual(Array(4).fill("delivered"));
});

test("messages get the answers that the description names", async () => {
  const { clerk, client } = await openPlace();
  clerk.instance.createUser({ email: "ada@example.com" });
  const [message] = clerk.deliveries.messages;
  const headers = clerk.deliveries.headersFor(message!);
  const sent = { json: message!.body, headers };
  expect((await client(webhooks, sent)).body).toEqual({ status: "stored" });
  expect((await client(webhooks, sent)).body).toEqual({ status: "duplicate" });
  const unsigned = await client(webhooks, { ...sent, json: message!.body.replace("ada", "eve") });
  expect(unsigned.status).toBe(401);
  expect((await client(webhooks, { json: "x".repeat(300_000), headers })).status).toBe(413);
});

test("messages of another instance are not stored once the database belongs to one", async () => {
  const { clerk, client, database, logged } = await openPlace();
  await sql(
    database.url,
    `insert into identity_state (id, value) values ('instance', '{"id":"ins_other","environment":"development"}')`,
  );
  clerk.instance.createUser({ email: "ada@example.com" });
  const [message] = clerk.deliveries.messages;
  const { body } = await client(webhooks, {
    json: message!.body,
    headers: clerk.deliveries.headersFor(message!),
  });
  expect(body).toEqual({ status: "ignored" });
  expect(logged.join("\n")).toContain("ins_other");
});
