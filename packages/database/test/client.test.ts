import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDatabase, sql, tempDir } from "@replant/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../src/index.ts";
import type { PrismaClient } from "../src/index.ts";
import { history, prismaDirectory } from "./history.ts";
import { prismaCli } from "./prisma-cli.ts";

async function migratedClient(): Promise<{ client: PrismaClient; url: string }> {
  const database = await createDatabase(15);
  for (const { sql: script } of history()) await sql(database.url, script);
  const client = createClient(database.url);
  onTestFinished(async () => {
    await client.$disconnect();
    await database.drop();
  });
  return { client, url: database.url };
}

test("the client creates, reads, changes and deletes rows, with ids from the database", async () => {
  const { client } = await migratedClient();
  const created = await client.organization.create({
    data: {
      clerkId: "org_1",
      name: "Acme Robotics",
      slug: "acme",
      metadata: { plan: { seats: 5 } },
      memberships: {
        create: {
          clerkMembershipId: "orgmem_1",
          role: "viewer",
          permissions: ["org:prompts:read"],
          user: { create: { clerkId: "user_1", email: "ada@example.com" } },
        },
      },
      services: { create: { mcpServer: { create: { serverKey: "github", name: "GitHub" } } } },
      apiKeys: { create: { name: "ci", keyPrefix: "rk_", keyHash: "abc", scopes: ["read", "write"] } },
    },
    include: { memberships: { include: { user: true } }, services: { include: { mcpServer: true } }, apiKeys: true },
  });
  expect(created).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    metadata: { plan: { seats: 5 } },
    deletedAt: null,
    memberships: [{ role: "viewer", permissions: ["org:prompts:read"], user: { email: "ada@example.com" } }],
    services: [{ enabled: true, configuration: {}, mcpServer: { serverKey: "github", isActive: true } }],
    apiKeys: [{ scopes: ["read", "write"] }],
  });

  const logs = await client.auditLog.createManyAndReturn({
    data: [1, 2].map((n) => ({
      action: "created",
      resourceType: "prompt",
      resourceId: String(n),
      ipAddress: "10.0.0.1",
    })),
  });
  expect(logs.map(({ sequence }) => sequence)).toEqual([1n, 2n]);

  const { updatedAt } = await client.organization.update({ where: { slug: "acme" }, data: { name: "Acme" } });
  expect(updatedAt.getTime()).toBeGreaterThan(created.updatedAt.getTime());
  await expect(client.user.create({ data: { clerkId: "user_1", email: "x@example.com" } })).rejects.toMatchObject({
    code: "P2002",
  });
  await expect(client.mcpServer.delete({ where: { serverKey: "github" } })).rejects.toMatchObject({ code: "P2003" });
  await client.organization.delete({ where: { slug: "acme" } });
  expect(await client.organizationMembership.count()).toBe(0);
});

test("the client reads and writes the same instant whatever the server's time zone is", async () => {
  const { client, url } = await migratedClient();
  await sql(url, `alter database ${new URL(url).pathname.slice(1)} set timezone = 'Asia/Kolkata'`);
  const instant = new Date("2025-03-04T05:06:07.891Z");
  await client.user.create({ data: { clerkId: "user_1", email: "a@example.com", createdAt: instant } });
  expect(await client.user.findUniqueOrThrow({ where: { clerkId: "user_1" } })).toMatchObject({ createdAt: instant });
  expect(await sql(url, "select created_at at time zone 'UTC' as at from users")).toEqual([
    { at: "2025-03-04 05:06:07.891" },
  ]);
});

test("the committed client is what the schema generates", async () => {
  const directory = await tempDir();
  cpSync(join(prismaDirectory, "schema.prisma"), join(directory, "prisma", "schema.prisma"));
  expect(await prismaCli(["generate"], { cwd: directory })).toMatchObject({ code: 0 });
  const committed = filesBelow(fileURLToPath(new URL("../src/generated", import.meta.url)));
  expect([...committed.keys()]).toContain("client.ts");
  expect(filesBelow(join(directory, "src", "generated"))).toEqual(committed);
});

function filesBelow(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  return new Map(names.sort().map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}
