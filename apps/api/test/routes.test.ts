import { sql } from "@replant/testkit";
import { startClerk } from "@replant/testkit/clerk";
import { describe, expect, onTestFinished, test } from "vitest";
import { openTeam, type Team } from "./place.ts";

const prompts = "GET /organizations/current/prompts";
const services = "GET /organizations/current/services";
const putService = "PUT /organizations/current/services/{serverKey}";

async function enable({ client, as, adminId }: Team, serverKey: string, json: object = { enabled: true }) {
  return client(putService, { params: { serverKey }, headers: as(adminId), json });
}

/** A prompt of the organization for the service "files". */
async function addPrompt({ database }: Team, name: string, version: number, active = true): Promise<void> {
  await sql(
    database.url,
    `insert into organization_prompts (organization_id, mcp_server_id, name, version, template, is_active)
     select o.id, m.id, $1, $2::int, 'own ' || $2::int, $3 from organizations o, mcp_servers m where m.server_key = 'files'`,
    [name, version, active],
  );
}

describe("services", () => {
  test("are listed whether they are enabled or not, without those that are no more", async () => {
    const team = await openTeam();
    await enable(team, "mail", { enabled: true, configuration: { from: "acme" } });
    const { status, body } = await team.client(services, { headers: team.as(team.memberId) });
    expect(status).toBe(200);
    expect(body).toEqual({
      services: [
        { serverKey: "files", name: "Files", enabled: false, configuration: {} },
        { serverKey: "mail", name: "Mail", enabled: true, configuration: { from: "acme" } },
        { serverKey: "wiki", name: "Wiki", enabled: false, configuration: {} },
      ],
    });
  });

  test("are switched off and keep their configuration", async () => {
    const team = await openTeam();
    expect((await enable(team, "mail", { enabled: true, configuration: { a: 1 } })).status).toBe(200);
    const { body } = await enable(team, "mail", { enabled: false });
    expect(body).toEqual({ serverKey: "mail", name: "Mail", enabled: false, configuration: { a: 1 } });
    expect(await sql(team.database.url, "select enabled from organization_services")).toEqual([{ enabled: false }]);
  });

  test.each(["unknown", "old"])("the service %s cannot be enabled", async (serverKey) => {
    const team = await openTeam();
    expect((await enable(team, serverKey)).status).toBe(404);
  });

  test.each([
    ["no JSON", "{"],
    ["a field missing", {}],
    ["a field of another type", { enabled: "yes" }],
    ["a field too many", { enabled: true, enable: false }],
    ["a configuration that is no object", { enabled: true, configuration: [1] }],
  ])("a body is refused: %s", async (_, json) => {
    const team = await openTeam();
    const { status, body } = await team.client(putService, {
      params: { serverKey: "mail" },
      headers: team.as(team.adminId),
      json,
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ title: "Bad Request", status: 400 });
    expect(await sql(team.database.url, "select 1 from organization_services")).toEqual([]);
  });
});

describe("prompts", () => {
  test("the organization's newest active version stands for the default", async () => {
    const team = await openTeam();
    await enable(team, "files");
    await addPrompt(team, "find", 1);
    await addPrompt(team, "find", 2);
    await addPrompt(team, "find", 3, false);
    await addPrompt(team, "translate", 1);
    const { body } = await team.client(prompts, { headers: team.as(team.memberId) });
    const common = { serverKey: "files", description: null, arguments: [] };
    expect(body).toEqual({
      prompts: [
        { ...common, name: "find", source: "organization", version: 2, template: "own 2" },
        { ...common, name: "sum up", source: "default", version: null, template: "files sum up" },
        { ...common, name: "translate", source: "organization", version: 1, template: "own 1" },
      ],
    });
  });

  test("those of services that are not enabled are left out", async () => {
    const team = await openTeam();
    await addPrompt(team, "find", 1);
    expect((await team.client(prompts, { headers: team.as(team.memberId) })).body).toEqual({ prompts: [] });
    await enable(team, "wiki");
    await enable(team, "files", { enabled: false });
    const { body } = await team.client(prompts, { headers: team.as(team.memberId) });
    expect(body).toMatchObject({ prompts: [{ serverKey: "wiki" }, { serverKey: "wiki" }] });
  });

  test("those of another organization are none of ours", async () => {
    const team = await openTeam();
    await enable(team, "files");
    await addPrompt(team, "find", 1);
    const { instance } = team.clerk;
    const other = instance.createOrganization({ name: "Globex", createdBy: team.memberId });
    await team.deliver();
    const token = team.clerk.mintSession({ userId: team.memberId, organizationId: other.id });
    const headers = { authorization: `Bearer ${token}` };
    await team.client(putService, { params: { serverKey: "files" }, headers, json: { enabled: true } });
    const { body } = await team.client(prompts, { headers });
    expect(body).toMatchObject({ prompts: [{ source: "default" }, { source: "default" }] });
    expect((await team.client(services, { headers: team.as(team.adminId) })).body).toMatchObject({
      services: [{ enabled: true }, { enabled: false }, { enabled: false }],
    });
  });
});

describe.each([prompts, services, putService])("%s", (operation) => {
  const call = { params: { serverKey: "mail" }, json: operation === putService ? { enabled: true } : undefined };

  test("needs a session token of this instance that is still valid", async () => {
    const { client, as, adminId, organizationId } = await openTeam();
    const foreign = await startClerk({ seed: 1 });
    onTestFinished(() => foreign.close());
    const [user] = ["ada", "bela"].map((name) => foreign.instance.createUser({ email: `${name}@example.com` }));
    const elsewhere = foreign.instance.createOrganization({ name: "Acme", createdBy: user!.id });
    // The ids are ours: only the key is another one.
    expect([user!.id, elsewhere.id]).toEqual([adminId, organizationId]);
    const forged = foreign.mintSession({ userId: user!.id, organizationId: elsewhere.id });
    for (const headers of [
      {},
      { authorization: "Basic YTpi" },
      { authorization: "Bearer nonsense" },
      as(adminId, { expiresInSeconds: -60 }),
      { authorization: `Bearer ${forged}` },
    ]) {
      const answer = await client(operation, { ...call, headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  test("refuses who is not, or not any more, a member of the active organization", async () => {
    const { client, as, adminId, memberId, organizationId, clerk, deliver } = await openTeam();
    const without = `Bearer ${clerk.mintSession({ userId: adminId })}`;
    expect((await client(operation, { ...call, headers: { authorization: without } })).status).toBe(403);
    const [admin, member] = [as(adminId), as(memberId)];
    const late = clerk.instance.createUser({ email: "late@example.com" });
    clerk.instance.createMembership({ organizationId, userId: late.id, role: "org:admin" });
    expect((await client(operation, { ...call, headers: as(late.id) })).status).toBe(403);
    clerk.instance.deleteUser(memberId);
    await deliver();
    expect((await client(operation, { ...call, headers: member })).status).toBe(403);
    expect((await client(operation, { ...call, headers: admin })).status).toBe(200);
    clerk.instance.deleteOrganization(organizationId);
    await deliver();
    expect((await client(operation, { ...call, headers: admin })).status).toBe(403);
  });
});

test.each(["users", "organizations", "organization_memberships"])(
  "what is deleted in %s lets nobody in",
  async (table) => {
    const { client, as, adminId, database } = await openTeam();
    expect((await client(prompts, { headers: as(adminId) })).status).toBe(200);
    await sql(database.url, `update ${table} set deleted_at = now()`);
    expect((await client(prompts, { headers: as(adminId) })).status).toBe(403);
  },
);

test("a member may not switch services", async () => {
  const team = await openTeam();
  const { status } = await team.client(putService, {
    params: { serverKey: "mail" },
    headers: team.as(team.memberId),
    json: { enabled: true },
  });
  expect(status).toBe(403);
  expect(await sql(team.database.url, "select 1 from organization_services")).toEqual([]);
});

test("paths that are none have a problem document too", async () => {
  const { url } = await openTeam();
  const response = await fetch(`${url}/nowhere`);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toEqual({
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: "there is no such path",
  });
});
