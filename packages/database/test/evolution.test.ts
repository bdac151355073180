import { PGlite } from "@electric-sql/pglite";
import { connect, createDatabase } from "@replant/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { history } from "./history.ts";

/** Sends one simple query message, or one statement of which it returns the rows. */
interface Session {
  script(text: string): Promise<unknown>;
  rows(text: string): Promise<unknown[]>;
}

async function openServer(major: 15 | 18): Promise<Session> {
  const database = await createDatabase(major);
  const client = await connect(database.url);
  onTestFinished(async () => {
    await client.end();
    await database.drop();
  });
  return { script: (text) => client.query(text), rows: async (text) => (await client.query(text)).rows };
}

async function openEmbedded(): Promise<Session> {
  const database = await PGlite.create();
  onTestFinished(() => database.close());
  return { script: (text) => database.exec(text), rows: async (text) => (await database.query(text)).rows };
}

const rowsOfTheFirstSchema = `
  INSERT INTO organizations (clerk_id, name, slug) VALUES
    ('org_1', 'Acme Robotics, Inc.', NULL), ('org_2', '***', NULL), ('org_3', 'Kept', 'kept');
  INSERT INTO users (clerk_id, email, avatar_url, updated_at) VALUES
    ('user_1', 'a@example.com', 'https://img.example.com/a', '2025-01-15 10:00:00.123456+00'),
    ('user_2', 'b@example.com', NULL, '2025-01-15 10:00:00.123457+00');
  INSERT INTO organization_memberships (organization_id, user_id, clerk_membership_id, role)
    SELECT o.id, u.id, concat('orgmem_', o.clerk_id, u.clerk_id), CASE u.clerk_id WHEN 'user_1' THEN 'admin' ELSE 'member' END::membership_role
      FROM organizations o, users u WHERE o.clerk_id = 'org_3';
  INSERT INTO mcp_servers (server_key, name) VALUES ('github', 'GitHub');
  INSERT INTO organization_services (organization_id, mcp_server_id, configuration)
    SELECT o.id, s.id, '{"b":  1, "a": [null]}' FROM organizations o, mcp_servers s WHERE o.clerk_id = 'org_3';
  INSERT INTO organization_prompts (organization_id, mcp_server_id, name, template)
    SELECT o.id, s.id, 'greet', 'Hello' FROM organizations o, mcp_servers s WHERE o.clerk_id = 'org_3'`;

const messagesBeforeTheInbox = `
  INSERT INTO webhook_events (event_id, event_type, payload, status, attempts, error, created_at) VALUES
    ('msg_b', 'user.updated', '{"n": 2}', 'failed', 3, 'why', '2025-08-02 10:00:00+00'),
    ('msg_c', 'user.created', '{"n": 1}', 'processed', 1, NULL, '2025-08-01 10:00:00+00'),
    ('msg_a', 'user.deleted', '{"n": 3}', 'received', 0, NULL, '2025-08-02 10:00:00+00')`;

const lastBeforeTheInbox = "20250804160000_updated_at_by_the_database";
const lastOfTheFirstSchema = "20250205142200_organization_services_prompts_resources";

describe.each([
  ["PostgreSQL 15", () => openServer(15)],
  ["PostgreSQL 18", () => openServer(18)],
  ["PGlite", openEmbedded],
])("the migrations as plain SQL on %s", (_name, open) => {
  test("take existing rows along", async () => {
    const session = await open();
    for (const { name, sql } of history()) {
      await session.script(sql);
      if (name === lastOfTheFirstSchema) await session.script(rowsOfTheFirstSchema);
      if (name === lastBeforeTheInbox) await session.script(messagesBeforeTheInbox);
    }

    const slugs =
      "SELECT clerk_id, replace(slug, left(id::text, 8), '<id>') AS slug FROM organizations ORDER BY clerk_id";
    expect(await session.rows(slugs)).toEqual([
      { clerk_id: "org_1", slug: "acme-robotics-inc-<id>" },
      { clerk_id: "org_2", slug: "<id>" },
      { clerk_id: "org_3", slug: "kept" },
    ]);
    expect(
      await session.rows(
        "SELECT image_url, updated_at::timestamptz(6) AT TIME ZONE 'UTC' || '' AS at FROM users ORDER BY clerk_id",
      ),
    ).toEqual([
      { image_url: "https://img.example.com/a", at: "2025-01-15 10:00:00.123456" },
      { image_url: null, at: "2025-01-15 10:00:00.123457" },
    ]);
    expect(await session.rows("SELECT role, permissions::text FROM organization_memberships ORDER BY role")).toEqual([
      { role: "admin", permissions: '["org:members:manage", "org:services:manage", "org:prompts:write"]' },
      { role: "member", permissions: '["org:prompts:write"]' },
    ]);
    expect(await session.rows("SELECT configuration::text FROM organization_services")).toEqual([
      { configuration: '{"a": [null], "b": 1}' },
    ]);
    expect(await session.rows("SELECT name, version, is_active FROM organization_prompts")).toEqual([
      { name: "greet", version: 1, is_active: true },
    ]);
    await session.script(
      "INSERT INTO webhook_events (event_id, event_type, body, verified) VALUES ('msg_d', 'x', '', false)",
    );
    expect(
      await session.rows(
        "SELECT number || '' AS number, event_id, body, verified, status, attempts, error FROM webhook_events ORDER BY number",
      ),
    ).toEqual([
      { number: "1", event_id: "msg_c", body: '{"n": 1}', verified: true, status: "applied", attempts: 1, error: null },
      { number: "2", event_id: "msg_a", body: '{"n": 3}', verified: true, status: "pending", attempts: 0, error: null },
      { number: "3", event_id: "msg_b", body: '{"n": 2}', verified: true, status: "dead", attempts: 3, error: "why" },
      { number: "4", event_id: "msg_d", body: "", verified: false, status: "pending", attempts: 0, error: null },
    ]);
  });
});

test("updated_at follows a change, and only a change", async () => {
  const session = await openServer(15);
  for (const { sql } of history()) await session.script(sql);
  const at = "2025-02-03 04:05:06.789012+00";
  const setTo = async (key: string, assignment: string): Promise<unknown> => {
    await session.script(`UPDATE system_settings SET ${assignment} WHERE key = '${key}'`);
    const [row] = await session.rows(`SELECT updated_at = '${at}' AS kept FROM system_settings WHERE key = '${key}'`);
    return row;
  };
  expect(await setTo("default_locale", `updated_at = '${at}'`)).toEqual({ kept: true });
  expect(await setTo("default_locale", `value = '"en"'`)).toEqual({ kept: true });
  expect(await setTo("default_locale", `value = '"de"', updated_at = updated_at`)).toEqual({ kept: false });
  expect(await setTo("default_locale", `value = '"fr"', updated_at = '${at}'`)).toEqual({ kept: true });
});
